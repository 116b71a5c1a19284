/** One answer: its text, how far it is, what it cost, or why it failed. */
import { useEffect, useRef } from "preact/hooks";
import { integer, money, seconds } from "../../shared/format.ts";
import { useChanges } from "../../shared/observable.ts";
import type { Column } from "../columns.ts";
import { costAt, tokensPerSecond } from "../reply.ts";
import type { Figures, Reply } from "../reply.ts";
import { FormattedText } from "./formatted-text.tsx";
import { StreamedText } from "./streamed-text.tsx";

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
        {isRunning ? <Elapsed reply={reply} /> : figures && <FiguresLine figures={figures} column={column} />}
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

const STATE_TEXT = {
  waiting: "waiting",
  writing: "writing",
  ok: "complete",
  error: "failed",
  cancelled: "stopped",
} as const;

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

function FiguresLine({ figures, column }: { figures: Figures; column: Column }) {
  const speed = tokensPerSecond(figures);
  const cost = costAt(figures, column.prices);
  const parts: [text: string, meaning: string][] = [];
  if (figures.ttftMs !== null) parts.push([`first ${seconds(figures.ttftMs)}`, "Time to the first token"]);
  if (figures.durationMs !== null) parts.push([`total ${seconds(figures.durationMs)}`, "Time of the whole answer"]);
  if (figures.usage) parts.push([`${integer(figures.usage.outputTokens)} tok`, "Output tokens"]);
  if (speed !== null) parts.push([`${Math.round(speed)} tok/s`, "Output tokens a second"]);
  if (cost !== null) parts.push([`cost ${money(cost)}`, "Cost at the endpoint's prices of now"]);
  if (figures.finishReason !== null && figures.finishReason !== "error")
    parts.push([`finish ${figures.finishReason}`, "Why the model ended"]);
  return (
    <>
      {parts.map(([text, meaning]) => (
        <span key={meaning} class="figure" title={meaning}>
          <span class="unseen">{meaning}: </span>
          {text}
        </span>
      ))}
    </>
  );
}

const ELAPSED_MS = 250;

/** Counts on without rendering anything again: there may be 64 of it. */
function Elapsed({ reply }: { reply: Reply }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const show = () => {
      if (!place.current || reply.startedAt === null) return;
      const first = reply.firstTextAt === null ? "" : `first text ${seconds(reply.firstTextAt - reply.startedAt)} · `;
      place.current.textContent = first + seconds(performance.now() - reply.startedAt);
    };
    const timer = setInterval(show, ELAPSED_MS);
    show();
    return () => clearInterval(timer);
  }, [reply]);
  return <span class="figure" ref={place} aria-hidden="true" />;
}
