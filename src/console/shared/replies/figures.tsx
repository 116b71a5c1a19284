/** The state of a reply in a word, its figures in a line, and how long it has been running. */
import { useEffect, useRef } from "preact/hooks";
import { integer, money, seconds } from "../format.ts";
import { costAt, tokensPerSecond } from "./reply.ts";
import type { Figures, Prices, Reply } from "./reply.ts";

export const STATE_TEXT = {
  waiting: "waiting",
  writing: "writing",
  ok: "complete",
  error: "failed",
  cancelled: "stopped",
} as const;

export function FiguresLine({ figures, prices }: { figures: Figures; prices: Prices | null }) {
  const speed = tokensPerSecond(figures);
  const cost = costAt(figures, prices);
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
export function Elapsed({ reply }: { reply: Reply }) {
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
