/**
 * A reply as a stream of server-sent events, as fast as its reader takes them. What the events are is for each dialect to
 * decide. Effects: reads the reply.
 */
import type { Context } from "hono";
import type { AppEnv } from "./context.ts";
import type { OpenReply, ReplyPortion } from "./reply-inbox.ts";

/** How often a stream without text says that it is alive, in milliseconds: proxies close idle connections. */
const HEARTBEAT_MS = 15_000;

const HEARTBEAT = ": still here\n\n";

/** Makes the text of a stream. */
export interface ReplyEvents {
  /** What comes before any text. */
  start: () => string;
  portion: (portion: ReplyPortion) => string;
}

export const dataEvent = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

export const namedEvent = (event: string, data: object): string => `event: ${event}\n${dataEvent(data)}`;

/** @param first what has come of the reply already. `no-transform` keeps proxies from buffering the events. */
export function respondWithStream(
  c: Context<AppEnv>,
  events: ReplyEvents,
  reply: OpenReply,
  first: ReplyPortion | null,
): Response {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  writer.closed.catch(reply.stop);
  c.executionCtx.waitUntil(writeReply(writer, events, reply, first).catch(reply.stop));
  return c.body(readable, 200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" });
}

/** Writes as fast as the reader reads. Rejects when it leaves. */
async function writeReply(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  events: ReplyEvents,
  { inbox }: OpenReply,
  first: ReplyPortion | null,
): Promise<void> {
  const encoder = new TextEncoder();
  // Without anything of the reply yet, the start goes out alone.
  await writer.write(encoder.encode(events.start() + (first ? events.portion(first) : "")));
  for (let final = first?.final ?? null; final === null;) {
    const portion = await inbox.next(HEARTBEAT_MS);
    final = portion?.final ?? null;
    const text = portion ? events.portion(portion) : HEARTBEAT;
    if (text !== "") await writer.write(encoder.encode(text));
  }
  await writer.close();
}
