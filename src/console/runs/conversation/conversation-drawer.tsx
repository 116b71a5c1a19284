/** One conversation of a run: what was asked, and the answers of one endpoint or of two side by side. */
import { useState } from "preact/hooks";
import type { Run } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { addressOf } from "../../router.ts";
import { Drawer } from "../../shared/drawer.tsx";
import { useEndpointTitle } from "../../shared/endpoint-titles.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { loadConversation } from "./load-conversation.ts";
import type { Place } from "./load-conversation.ts";
import { TurnView } from "./turn-view.tsx";

interface DrawerProps {
  run: Run;
  place: Place;
  onClose: () => void;
}

export function ConversationDrawer({ run, place, onClose }: DrawerProps) {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(
    () => loadConversation(api, run.run_id, place),
    [api, run.run_id, place],
  );
  const [sides, setSides] = useState<Sides>({ left: place.endpoint, right: "", marks: true });
  const shown = sides.right === "" ? [sides.left] : [sides.left, sides.right];
  const title =
    run.repeat === 1 ? `Item ${place.item}` : `Item ${place.item}, repetition ${place.repetition} of ${run.repeat}`;
  return (
    <Drawer title={title} onClose={onClose}>
      <SidesFields endpoints={run.endpoints} sides={sides} onChange={setSides} />
      <Problem problem={problem} onRetry={reload} />
      {!value && problem === null && <p class="hint">Loading …</p>}
      {value?.turns.map((answers, index) => (
        <TurnView key={index} number={index + 1} answers={answers} endpoints={shown} marks={sides.marks} />
      ))}
      {value && <SessionLink id={value.sessions.get(sides.left)} />}
    </Drawer>
  );
}

/** Whose answers are shown. */
interface Sides {
  left: string;
  /** Empty for no other. */
  right: string;
  /** Whether differences are marked. */
  marks: boolean;
}

interface SidesProps {
  endpoints: string[];
  sides: Sides;
  onChange: (sides: Sides) => void;
}

function SidesFields({ endpoints, sides, onChange }: SidesProps) {
  const { left, right, marks } = sides;
  const others = endpoints.filter((endpoint) => endpoint !== left);
  const onLeft = (changed: string) => onChange({ ...sides, left: changed, right: changed === right ? "" : right });
  return (
    <>
      <div class="fields-row">
        <EndpointSelect label="Answers of" endpoints={endpoints} value={left} onChange={onLeft} />
        {others.length > 0 && (
          <EndpointSelect
            label="Beside"
            none="No other"
            endpoints={others}
            value={right}
            onChange={(changed) => onChange({ ...sides, right: changed })}
          />
        )}
      </div>
      {right !== "" && (
        <label class="check">
          <input
            type="checkbox"
            checked={marks}
            onChange={({ currentTarget }) => onChange({ ...sides, marks: currentTarget.checked })}
          />
          Mark what differs:
          <span class="hint">
            <del>only in the first</del>, <ins>only in the second</ins>
          </span>
        </label>
      )}
    </>
  );
}

const SessionLink = ({ id }: { id: string | undefined }) =>
  id === undefined ? null : (
    <p class="hint">
      <a href={addressOf("compare", id)}>Open the conversation in Compare</a>, with receipts of what was sent.
    </p>
  );

interface SelectProps {
  label: string;
  /** What it is called to choose none. */
  none?: string;
  endpoints: string[];
  value: string;
  onChange: (endpoint: string) => void;
}

function EndpointSelect({ label, none, endpoints, value, onChange }: SelectProps) {
  const titleOf = useEndpointTitle();
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {endpoints.map((endpoint) => (
          <option key={endpoint} value={endpoint}>
            {titleOf(endpoint)}
          </option>
        ))}
      </select>
    </label>
  );
}
