/** One answer: its text, how far it is, what it cost, or why it failed. */
import type { ComponentChildren } from "preact";
import { useChanges } from "../../shared/observable.ts";
import type { Column } from "../columns.ts";
import { Elapsed, FiguresLine, STATE_TEXT } from "../../shared/replies/figures.tsx";
import { withAdvice } from "../../shared/replies/failure-advice.ts";
import type { Reply } from "../../shared/replies/reply.ts";
import { FormattedText } from "../../shared/replies/formatted-text.tsx";
import { StreamedText } from "../../shared/replies/streamed-text.tsx";

interface CellProps {
  column: Column;
  reply: Reply;
  onStop: () => void;
  /** What can be done with it when it is complete. */
  children: ComponentChildren;
}

export function AnswerCell({ column, reply, onStop, children }: CellProps) {
  useChanges(reply);
  const { state, isRunning, error } = reply;
  return (
    <article class={`answer answer-${state}`} aria-label={`Answer of ${column.title}`} aria-busy={isRunning}>
      <p class="answer-name">{column.title}</p>
      {isRunning && <StreamedText reply={reply} />}
      {!isRunning && reply.text !== "" && <FormattedText text={reply.text} />}
      {column.isRecorded && reply.text === "" && <p class="hint">The chat has no answer here.</p>}
      {state === "error" && <Failure error={error} />}
      <footer class="answer-foot">
        {!column.isRecorded && <State reply={reply} prices={column.prices} />}
        <span class="answer-actions">
          {isRunning ? (
            <button type="button" class="quiet small" aria-label={`Stop ${column.title}`} onClick={onStop}>
              Stop
            </button>
          ) : (
            children
          )}
        </span>
      </footer>
    </article>
  );
}

/** How far it is, then its figures. */
const State = ({ reply, prices }: { reply: Reply; prices: Column["prices"] }) => (
  <>
    <span class={`state state-${reply.state}`}>{STATE_TEXT[reply.state]}</span>
    {reply.isRunning ? (
      <Elapsed reply={reply} />
    ) : (
      reply.figures && <FiguresLine figures={reply.figures} prices={prices} />
    )}
  </>
);

const Failure = ({ error }: { error: Reply["error"] }) => (
  <p class="failure">
    {error ? (
      <>
        <code>{error.code}</code> {withAdvice(error)}
      </>
    ) : (
      "The endpoint gave no answer."
    )}
  </p>
);
