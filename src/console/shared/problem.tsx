/** A failed call in words, with what one can do. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import type { ErrorCode } from "../../client/errors.ts";

/** What to do, by the status of the answer. */
const ADVICE: Record<number, string> = {
  401: "The token is no longer accepted. Sign out, and sign in with another one.",
  403: "Your token may not do this. Ask an admin for one that may.",
  404: "It may have been deleted meanwhile.",
  429: "That was too much at once. Wait a moment, then repeat the step.",
  503: "The server is busy. Wait a moment, then repeat the step.",
};

/** What to do, where the code says more than the status. */
const ADVICE_BY_CODE: Partial<Record<ErrorCode, string>> = {
  taken: "Choose another one.",
  session_full: "Branch the chat, and go on in the branch.",
  path_too_long: "Choose an earlier message.",
  human_handles: "Hand back first.",
};

export function problemText(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem);
  if (problem instanceof ParleyError) {
    if (problem.code === "connection_failed")
      return "The server cannot be reached. Check the connection, then try again.";
    return [reasonOf(problem), ADVICE_BY_CODE[problem.code] ?? ADVICE[problem.status]].filter(Boolean).join(" — ");
  }
  return problem.message;
}

/** The message begins with the call, which says nothing to a person. */
export const reasonOf = ({ message }: ParleyError): string => message.replace(/^\S+ \S+ failed with status \d+: /, "");

interface ProblemProps {
  problem: unknown;
  onRetry?: () => void;
  /** What else one can do. */
  children?: ComponentChildren;
}

export function Problem({ problem, onRetry, children }: ProblemProps) {
  const note = useRef<HTMLDivElement>(null);
  // What was pressed may be far below.
  useEffect(() => note.current?.scrollIntoView({ block: "nearest" }), [problem]);
  if (problem === null || problem === undefined) return null;
  return (
    <div class="note note-bad" role="alert" ref={note}>
      <span>{problemText(problem)}</span>
      {children}
      {onRetry && (
        <button type="button" class="quiet" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
