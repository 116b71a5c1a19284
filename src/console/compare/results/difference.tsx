/** What differs between two answers, word by word: to one prompt, or to two. */
import { useMemo, useState } from "preact/hooks";
import { differingParts } from "../../shared/difference/differing-parts.ts";
import { SelectField } from "../../shared/form/fields.tsx";
import type { Column } from "../columns.ts";
import type { Turn } from "../comparison.ts";
import type { Result, ResultProps } from "./result.ts";
import "../../shared/difference/difference.css";

/** Enough to know it again. */
const SHOWN_OF_PROMPT = 60;

type Props = ResultProps<Result & { kind: "difference" }>;

/** One of the two answers. */
interface Side {
  turn: Turn;
  chatId: string;
}

export function DifferenceView({ result: { turn }, columns, turns }: Props) {
  const [first, second] = answeredIn(turn, columns);
  const [left, setLeft] = useState<Side>({ turn, chatId: first?.chatId ?? "" });
  const [right, setRight] = useState<Side>({ turn, chatId: (second ?? first)?.chatId ?? "" });
  const shared = { columns, turns: turns.filter((one) => answeredIn(one, columns).length > 0) };
  if (shared.turns.length === 0) return <p class="note">There are not two answers with text to compare.</p>;
  return (
    <>
      <SideSelect label="From" side={left} onChange={setLeft} {...shared} />
      <SideSelect label="To" side={right} onChange={setRight} {...shared} />
      <p class="hint">
        <del>Only in the first</del> · <ins>only in the second</ins>
      </p>
      <Difference before={textOf(left)} after={textOf(right)} />
    </>
  );
}

const answeredIn = (turn: Turn, columns: Column[]): Column[] =>
  columns.filter(({ chatId }) => textOf({ turn, chatId }) !== "");

const textOf = ({ turn, chatId }: Side): string => turn.replies.get(chatId)?.text ?? "";

export function Difference({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => differingParts(before, after), [before, after]);
  if (before === after) return <p class="note">Both answers are the same.</p>;
  if (!parts) return <p class="note">These answers differ in too much to mark it.</p>;
  return (
    <div class="difference">
      {parts.map(({ value, added, removed }, index) => {
        if (added) return <ins key={index}>{value}</ins>;
        return removed ? <del key={index}>{value}</del> : <span key={index}>{value}</span>;
      })}
    </div>
  );
}

interface SelectProps {
  label: string;
  side: Side;
  columns: Column[];
  turns: Turn[];
  onChange: (side: Side) => void;
}

/** Any answer to any prompt: an answer may be compared with the one to the same prompt put again. */
function SideSelect({ label, side, columns, turns, onChange }: SelectProps) {
  const choose = (turnId: string) => {
    const turn = turns.find((one) => one.turnId === turnId) ?? side.turn;
    const answered = answeredIn(turn, columns);
    const column = answered.find(({ chatId }) => chatId === side.chatId) ?? answered[0];
    onChange({ turn, chatId: column?.chatId ?? "" });
  };
  return (
    <div class="fields-row">
      <SelectField
        label={label}
        value={side.chatId}
        options={answeredIn(side.turn, columns).map(({ chatId, title }) => ({ value: chatId, title }))}
        onInput={(chatId) => onChange({ ...side, chatId })}
      />
      {turns.length > 1 && (
        <SelectField
          label={`${label}, answer to`}
          value={side.turn.turnId}
          options={turns.map(({ turnId, prompt }, index) => ({
            value: turnId,
            title: `${index + 1}. ${(prompt ?? "").slice(0, SHOWN_OF_PROMPT)}`,
          }))}
          onInput={choose}
        />
      )}
    </div>
  );
}
