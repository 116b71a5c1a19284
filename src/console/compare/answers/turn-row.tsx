/** A prompt, and beneath it the answers to it. */
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import { useChanges } from "../../shared/observable.ts";
import { plural, shortTime } from "../../shared/format.ts";
import type { Column } from "../columns.ts";
import type { Turn } from "../comparison.ts";
import type { Adoptable, Result } from "../results/result.ts";
import { AnswerTools } from "./answer-tools.tsx";
import { AnswerCell } from "./answer-cell.tsx";

interface RowProps {
  /** From 1. */
  number: number;
  turn: Turn;
  columns: Column[];
  adoptable: Adoptable | null;
  /** The chat whose answer is looked for; `null` for none. */
  target: string | null;
  onStop: (chatId: string) => void;
  onAgain: (prompt: string) => void;
  onResult: (result: Result) => void;
}

export function TurnRow(props: RowProps) {
  const { number, turn, columns, target } = props;
  useChanges(turn);
  return (
    <section class="turn" aria-label={`Prompt ${number}`}>
      <TurnHead {...props} />
      <div class="turn-answers">
        {columns.map((column) => (
          <div key={column.chatId} class={column.chatId === target ? "cell cell-target" : "cell"}>
            <Answer column={column} {...props} />
          </div>
        ))}
      </div>
    </section>
  );
}

function TurnHead({ turn, onAgain, onResult }: RowProps) {
  const { prompt, isRunning, sentAt } = turn;
  return (
    <header class="turn-head">
      <PromptText text={prompt ?? "…"} />
      <div class="turn-line">
        <span class="hint">
          {sentAt && shortTime(sentAt)} · <span aria-live="polite">{outcomeOf(turn)}</span>
        </span>
        <button
          type="button"
          class="quiet small"
          disabled={isRunning}
          onClick={() => onResult({ kind: "difference", turn })}
        >
          Differences
        </button>
        {prompt !== null && (
          <button type="button" class="quiet small" onClick={() => onAgain(prompt)}>
            Ask again
          </button>
        )}
      </div>
    </header>
  );
}

/** From about here on it is higher than its place, and scrolls. */
const LONG_PROMPT = /(?:\n.*){8}|^.{500}/s;

/** What scrolls must be reached by keyboard. */
const PromptText = ({ text }: { text: string }) => (
  <div
    class="turn-prompt"
    {...(LONG_PROMPT.test(text) ? { tabIndex: 0, role: "group" as const, "aria-label": "Prompt, as it was sent" } : {})}
  >
    {text}
  </div>
);

/** Nothing if the chat was not asked. */
function Answer({ turn, column, onStop, ...props }: RowProps & { column: Column }) {
  const reply = turn.replies.get(column.chatId);
  if (!reply) return null;
  return (
    <AnswerCell column={column} reply={reply} onStop={() => onStop(column.chatId)}>
      <AnswerTools column={column} reply={reply} {...props} />
    </AnswerCell>
  );
}

/** What has become of the turn. While it runs it says only that: a screen reader would read every change aloud. */
function outcomeOf(turn: Turn): string {
  const asked = [...turn.replies].filter(([chatId]) => chatId !== RECORDED_CHAT).map(([, reply]) => reply);
  if (turn.isRunning) return `${plural(asked.length, "answer")} under way`;
  const count = (state: string) => asked.filter((reply) => reply.state === state).length;
  const parts = [
    [count("ok"), "complete"],
    [count("error"), "failed"],
    [count("cancelled"), "stopped"],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}
