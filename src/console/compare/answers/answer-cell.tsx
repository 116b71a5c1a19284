/** One answer: its text, how far it is, what it cost, or why it failed. */
import { useChanges } from "../../shared/observable.ts";
import type { Column } from "../columns.ts";
import { Elapsed, FiguresLine, STATE_TEXT } from "../../shared/replies/figures.tsx";
import type { Reply } from "../../shared/replies/reply.ts";
import { FormattedText } from "../../shared/replies/formatted-text.tsx";
import { StreamedText } from "../../shared/replies/streamed-text.tsx";

interface CellProps {
  column: Column;
  reply: Reply;
  onStop: () => void;
  onReceipt: () => void;
}

export function AnswerCell({ column, reply, onStop, onReceipt }: CellProps) {
  useChanges(reply);
  const { state, isRunning, figures, error } = reply;
  return (
    <article class={`answer answer-${state}`} aria-label={`Answer of ${column.title}`} aria-busy={isRunning}>
      <p class="answer-name">{column.title}</p>
      {isRunning && <StreamedText reply={reply} />}
      {!isRunning && reply.text !== "" && <FormattedText text={reply.text} />}
      {state === "error" && <Failure error={error} />}
      <footer class="answer-foot">
        <span class={`state state-${state}`}>{STATE_TEXT[state]}</span>
        {isRunning ? <Elapsed reply={reply} /> : figures && <FiguresLine figures={figures} prices={column.prices} />}
        <span class="answer-actions">
          {isRunning ? (
            <button type="button" class="quiet small" aria-label={`Stop ${column.title}`} onClick={onStop}>
              Stop
            </button>
          ) : (
            <button type="button" class="quiet small" aria-label={`Receipt of ${column.title}`} onClick={onReceipt}>
              Receipt
            </button>
          )}
        </span>
      </footer>
    </article>
  );
}

const Failure = ({ error }: { error: Reply["error"] }) => (
  <p class="failure">
    {error ? (
      <>
        <code>{error.code}</code> {error.message}
      </>
    ) : (
      "The endpoint gave no answer."
    )}
  </p>
);
