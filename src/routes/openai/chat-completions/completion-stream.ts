/**
 * A reply as a stream of OpenAI's chunks, as fast as the reader takes them. A failed reply ends with an error and without
 * the marker of the end. Effects: reads the reply. https://platform.openai.com/docs/api-reference/chat-streaming
 */
import type { HttpProblem } from "../../http/problem.ts";
import { errorResponse } from "../errors.ts";
import type { CompletionChunks, ReplyOutcome } from "./present.ts";
import type { ReplyInbox, ReplyPortion } from "./reply-inbox.ts";

/** How often a stream without text says that it is alive, in milliseconds: proxies close idle connections. */
const HEARTBEAT_MS = 15_000;

const HEARTBEAT = ": still here\n\n";

const DONE = "data: [DONE]\n\n";

const dataEvent = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

/** OpenAI's clients raise an error for an object in `error`, whatever the name of the event. */
export const errorEvent = (problem: HttpProblem): string => `event: error\n${dataEvent(errorResponse(problem).body)}`;

export interface CompletionSource {
  chunks: CompletionChunks;
  inbox: ReplyInbox;
  /** What has come of the reply already. */
  first: ReplyPortion | null;
  /** Makes the problem of a reply that failed; `null` for one that did not. */
  problemOf: (final: NonNullable<ReplyPortion["final"]>) => HttpProblem | null;
  /** Called when the reader leaves. */
  onCancel: () => void;
}

export function completionStream({ chunks, inbox, first, problemOf, onCancel }: CompletionSource) {
  const encoder = new TextEncoder();
  const textOf = ({ text, final }: ReplyPortion): string => {
    const texts = chunks.text(text).map(dataEvent).join("");
    if (final === null) return texts;
    const problem = problemOf(final);
    if (problem) return texts + errorEvent(problem);
    return `${texts}${chunks
      .end(final as ReplyOutcome)
      .map(dataEvent)
      .join("")}${DONE}`;
  };
  let start: string | null = chunks.start().map(dataEvent).join("");
  let waiting = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Without anything yet, the start goes out alone.
        const portion = waiting ?? (start === null ? await inbox.next(HEARTBEAT_MS) : { text: "", final: null });
        controller.enqueue(encoder.encode((start ?? "") + (portion ? textOf(portion) : HEARTBEAT)));
        start = null;
        waiting = null;
        if (portion !== null && portion.final !== null) controller.close();
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}
