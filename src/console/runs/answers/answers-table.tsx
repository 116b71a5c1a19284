/** The table of answers: a row for each prompt that was put, a column for each endpoint. Only the rows in view exist. */
import { useEffect, useState } from "preact/hooks";
import type { Run, RunResult } from "../../../client/types.ts";
import { useEndpointTitle } from "../../shared/endpoint-titles.tsx";
import { atNextFrame } from "../../shared/frames.ts";
import type { Place } from "../conversation/load-conversation.ts";
import { isOpen } from "../words.ts";
import { AnswerCell } from "./answer-cell.tsx";
import type { Rows } from "./rows.ts";

/** As in the style sheet: a row that is not in view has no height of its own. */
const ROW_HEIGHT = 40;
/** As in the style sheet, too: the most that is in view. */
const VIEW_HEIGHT = 640;
/** How many rows beyond the edges exist, so that scrolling shows no gap. */
const BEYOND = 8;
const RELOAD_MS = 2_000;
/** How long one must stay at rows before they are loaded. */
const REST_MS = 60;

interface TableProps {
  run: Run;
  rows: Rows;
  /** The number of the first row, from 0, and the most rows. */
  first: number;
  most: number;
  onOpen: (place: Place) => void;
}

export function AnswersTable({ run, rows, first, most, onOpen }: TableProps) {
  const [top, setTop] = useState(0);
  const count = Math.min(most, Math.max(0, (rows.total ?? 0) - first));
  const from = Math.min(count, Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND));
  const to = Math.min(count, Math.ceil((top + VIEW_HEIGHT) / ROW_HEIGHT) + BEYOND);
  useEffect(() => rows.refresh(), [rows, run.status]);
  useRowsInView(rows, first + from, first + to, isOpen(run));
  const columns = rows.perRow === 1 ? null : run.endpoints;
  if (rows.total === 0) return null;
  return (
    <div
      class="results-scroll"
      tabIndex={0}
      role="region"
      aria-label="Table of answers"
      onScroll={({ currentTarget }) => atNextFrame(() => setTop(currentTarget.scrollTop))}
    >
      <table class="results-table" aria-rowcount={count + 1}>
        <Head columns={columns} />
        <tbody>
          <Gap rows={from} />
          {Array.from({ length: to - from }, (_, index) => (
            <Row
              key={first + from + index}
              index={from + index}
              answers={rows.row(first + from + index)}
              columns={columns?.length ?? 2}
              isMatrix={columns !== null}
              onOpen={onOpen}
            />
          ))}
          <Gap rows={count - to} />
        </tbody>
      </table>
    </div>
  );
}

/** Loads what is in view, once one stays there, and again while the run goes on. */
function useRowsInView(rows: Rows, from: number, to: number, isGoingOn: boolean): void {
  useEffect(() => {
    const show = () => rows.show(from, to, isGoingOn);
    const rest = setTimeout(show, REST_MS);
    const timer = isGoingOn ? setInterval(show, RELOAD_MS) : undefined;
    return () => {
      clearTimeout(rest);
      clearInterval(timer);
    };
  }, [rows, from, to, isGoingOn]);
}

function Head({ columns }: { columns: string[] | null }) {
  const titleOf = useEndpointTitle();
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col">Item</th>
        {columns === null && <th scope="col">Endpoint</th>}
        {(columns?.map(titleOf) ?? ["Answer"]).map((title) => (
          <th key={title} scope="col" title={title}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Stands for rows that are not in view. */
const Gap = ({ rows }: { rows: number }) =>
  rows === 0 ? null : (
    <tr aria-hidden="true">
      <td class="results-gap" style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );

interface RowProps {
  index: number;
  answers: RunResult[] | null;
  columns: number;
  isMatrix: boolean;
  onOpen: (place: Place) => void;
}

function Row({ index, answers, columns, isMatrix, onOpen }: RowProps) {
  const titleOf = useEndpointTitle();
  const [answer] = answers ?? [];
  return (
    <tr aria-rowindex={index + 2}>
      <th scope="row">
        {answer ? (
          <button type="button" class="results-item" title={rowTitle(answer)} onClick={() => onOpen(placeOf(answer))}>
            {rowTitle(answer)}
          </button>
        ) : (
          <span class="hint">…</span>
        )}
      </th>
      {answer && !isMatrix && <td class="results-endpoint">{titleOf(answer.endpoint)}</td>}
      {answer
        ? answers?.map((one) => (
            <td key={one.endpoint}>
              <AnswerCell answer={one} />
            </td>
          ))
        : Array.from({ length: columns }, (_, column) => <td key={column} />)}
    </tr>
  );
}

const placeOf = ({ item_id: item, repetition, endpoint }: RunResult): Place => ({ item, repetition, endpoint });

/** The first repetition and the first turn go without saying. */
function rowTitle({ item_id: item, repetition, turn }: RunResult): string {
  const parts = [item];
  if (repetition > 1) parts.push(`rep. ${repetition}`);
  if (turn > 1) parts.push(`turn ${turn}`);
  return parts.join(" · ");
}
