/** A prompt, and beneath it the answers to it. */
import { useChanges } from "../../shared/observable.ts";
import { plural, shortTime } from "../../shared/format.ts";
import type { Column } from "../columns.ts";
import type { Turn } from "../comparison.ts";
import type { Result } from "../results/result.ts";
import { AnswerCell } from "./answer-cell.tsx";

interface RowProps {
  number: number;
  /** 1 for the last turn. */
  fromEnd: number;
  turn: Turn;
  columns: Column[];
  onStop: (chatId: string) => void;
  onAgain: (prompt: string) => void;
  onResult: (result: Result) => void;
}

export function TurnRow({ number, turn, ...props }: RowProps) {
  useChanges(turn);
  return (
    <section class="turn" aria-label={`Prompt ${number}`}>
      <TurnHead turn={turn} {...props} />
      <div class="turn-answers">
        {props.columns.map((column) => (
          <div key={column.chatId} class="cell">
            <Answer column={column} turn={turn} {...props} />
          </div>
        ))}
      </div>
    </section>
  );
}

type PartProps = Omit<RowProps, "number">;

function TurnHead({ turn, columns, onAgain, onResult }: PartProps) {
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
          disabled={isRunning || columns.length < 2}
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
function Answer({ turn, column, fromEnd, onStop, onResult }: PartProps & { column: Column }) {
  const { chatId } = column;
  const reply = turn.replies.get(chatId);
  if (!reply) return null;
  const onReceipt = () => onResult({ kind: "receipt", chatId, fromEnd });
  return <AnswerCell column={column} reply={reply} onStop={() => onStop(chatId)} onReceipt={onReceipt} />;
}

/** What has become of the turn. While it runs it says only that: a screen reader would read every change aloud. */
function outcomeOf(turn: Turn): string {
  if (turn.isRunning) return `${plural(turn.replies.size, "answer")} under way`;
  const count = (state: string) => [...turn.replies.values()].filter((reply) => reply.state === state).length;
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
