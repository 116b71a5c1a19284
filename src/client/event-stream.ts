/**
 * Reads the events of one answer. What to do when it breaks off is decided in `resume.ts`.
 *
 * Reads and cancels the body; has a timer for connections that are silent.
 */
import { createParser } from "eventsource-parser";
import { connectionError } from "./connection.ts";
import type { Call } from "./connection.ts";
import type { StreamEvent } from "./types.ts";

/** The server sends a comment every 15 s. A connection without any is dead, even if nothing has reported its end. */
const LONGEST_SILENCE_MS = 45_000;

/** How long nothing must come, so that what was to be replayed has probably come. */
const QUIET_MS = 250;

/** `comment`: what was to be replayed has come. `quiet`: probably. */
type Received<Event> = Event | "comment" | "quiet";

/**
 * @param call what was answered
 * @param isWaiting whether the reader wants to know when it is quiet
 * @throws {@link ParleyError} if the connection breaks or is silent, or the reason of the signal
 */
export async function* readEvents<Event extends object = StreamEvent>(
  call: Call,
  body: ReadableStream<Uint8Array>,
  isWaiting: () => boolean,
): AsyncGenerator<Received<Event>, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let received: Received<Event>[] = [];
  const parser = createParser({
    onEvent: ({ data }) => received.push(JSON.parse(data) as Event),
    onComment: () => received.push("comment"),
  });
  try {
    for (;;) {
      const next = reader.read();
      if (isWaiting() && (await within(QUIET_MS, next, call)) === null) yield "quiet";
      const chunk = await within(LONGEST_SILENCE_MS, next, call);
      if (chunk === null) throw connectionError(call, new Error("The stream is silent"));
      if (chunk.done) return;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* received;
      received = [];
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** @returns `null` if it takes longer */
async function within<T>(ms: number, read: Promise<T>, call: Call): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  try {
    return await Promise.race([read, timeout]);
  } catch (error) {
    throw connectionError(call, error);
  } finally {
    clearTimeout(timer);
  }
}
