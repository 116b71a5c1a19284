/** Asks which models are to answer, and how much of the chat they get. */
import { useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import { EndpointPicker } from "../compare/setup/endpoint-picker.tsx";
import { listChoices } from "../compare/setup/choices.ts";
import { useConsole } from "../context.ts";
import { goTo } from "../router.ts";
import { plural } from "../shared/format.ts";
import { withLabels } from "../shared/form/field-labels.ts";
import { Problem } from "../shared/problem.tsx";
import { useKept } from "../shared/storage.ts";
import { useLoaded } from "../shared/use-loaded.ts";
import type { ChatPart } from "./chat-part.ts";
import { leaveReplay } from "./replay-call.ts";
import "./bridge.css";

/** As many as the API takes. */
const MAX_CHATS = 64;

const MODES = {
  user_turns: {
    title: "Put the client's messages again",
    meaning: "Each model goes on with its own answers.",
  },
  pinned: {
    title: "Keep the conversation as it was",
    meaning: "Each message is sent with the recorded answers before it, so that only the next answer differs.",
  },
} as const;
type Mode = keyof typeof MODES;

export function BridgeForm({ from }: { from: ChatPart }) {
  const { api } = useConsole();
  const { value: choices, problem, reload } = useLoaded(() => listChoices(api), [api]);
  const [kept, setChosen] = useKept<string[]>("bridge.endpoints", []);
  const [mode, setMode] = useKept<Mode>("bridge.mode", "user_turns");
  const [until, setUntil] = useState(from.untilSeq);
  const start = useStart(from);
  const chosen = kept.filter((id) => choices?.some((choice) => choice.id === id));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = { endpoints: chosen, mode, ...(until === null ? {} : { until_seq: until }) };
    void start.run(fields, event.currentTarget as HTMLFormElement);
  };
  return (
    <form class="fields" onSubmit={submit}>
      <p class="lead">What would others have answered? The chat does not change until you adopt an answer.</p>
      <Problem problem={problem} onRetry={reload} />
      <EndpointPicker choices={choices} chosen={chosen} onChange={setChosen} />
      <ModeChoice mode={mode} onChange={setMode} />
      <EndChoice answers={from.answers} value={until} onChange={setUntil} />
      <Problem problem={start.problem}>{start.isTooLong && <span>Choose an earlier answer at “Up to”.</span>}</Problem>
      <button type="submit" class="primary" disabled={chosen.length === 0 || chosen.length > MAX_CHATS || start.isBusy}>
        {buttonText(chosen.length)}
      </button>
    </form>
  );
}

/** `/v1` has no codes: the message names the field that decides. */
const isTooLong = (problem: unknown): boolean =>
  problem instanceof ParleyError && problem.status === 409 && problem.message.includes("until_seq");

function buttonText(count: number): string {
  if (count === 0) return "Choose at least one model";
  return count > MAX_CHATS ? `At most ${MAX_CHATS} models at once` : `Compare on ${plural(count, "model")}`;
}

/** Makes the comparison, and leads to it: its page begins the replay. */
function useStart({ sessionId, name }: ChatPart) {
  const { api } = useConsole();
  const [failure, setFailure] = useState<{ problem: unknown; isTooLong: boolean }>({ problem: null, isTooLong: false });
  const [isBusy, setIsBusy] = useState(false);
  const run = async (fields: { endpoints: string[]; mode: Mode; until_seq?: number }, form: HTMLFormElement) => {
    setIsBusy(true);
    try {
      const { session_id: id } = await api.comparisons.create({ name, from_session: sessionId, ...fields });
      leaveReplay(id);
      goTo("compare", id);
    } catch (error) {
      setFailure({ problem: withLabels(error, form), isTooLong: isTooLong(error) });
      setIsBusy(false);
    }
  };
  return { run, ...failure, isBusy };
}

const ModeChoice = ({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) => (
  <fieldset class="modes" name="mode">
    <legend>What is sent</legend>
    {(Object.keys(MODES) as Mode[]).map((name) => (
      <label key={name} class="choice">
        <input type="radio" name="mode" checked={mode === name} onChange={() => onChange(name)} />
        <span class="choice-name">{MODES[name].title}</span>
        <span class="choice-detail">{MODES[name].meaning}</span>
      </label>
    ))}
  </fieldset>
);

interface EndProps {
  answers: ChatPart["answers"];
  value: number | null;
  onChange: (seq: number | null) => void;
}

const EndChoice = ({ answers, value, onChange }: EndProps) => (
  <label class="field">
    <span>Up to</span>
    <select
      name="until_seq"
      value={value ?? ""}
      onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? null : Number(currentTarget.value))}
    >
      <option value="">the end of the chat</option>
      {answers.map(({ seq, text }) => (
        <option key={seq} value={seq}>
          the answer “{beginningOf(text)}”
        </option>
      ))}
    </select>
  </label>
);

const SHOWN_LENGTH = 48;

function beginningOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= SHOWN_LENGTH ? line : `${line.slice(0, SHOWN_LENGTH).toWellFormed()} …`;
}
