/**
 * A reply as a stream of server-sent events, as fast as its reader takes them. What the events are is for each dialect to
 * decide. Effects: reads the reply.
 */
import type { Context } from "hono";
import type { AppEnv } from "./context.ts";
import type { OpenReply, ReplyPortion } from "./open-reply.ts";

const HEARTBEAT = ": still here\n\n";

/** Makes the text of a stream. */
export interface ReplyEvents {
  /** What comes before any text. */
  start: () => string;
  portion: (portion: ReplyPortion) => string;
}

export const dataEvent = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

export const namedEvent = (event: string, data: object): string => `event: ${event}\n${dataEvent(data)}`;

/**
 * `no-transform` keeps proxies from buffering the events.
 *
 * @param first the first portion, or that it is awaited
 */
export function respondWithStream(
  c: Context<AppEnv>,
  events: ReplyEvents,
  reply: OpenReply,
  first: ReplyPortion | Promise<ReplyPortion | null> = reply.next(),
): Response {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const stop = () => reply.stop();
  writer.closed.catch(stop);
  c.executionCtx.waitUntil(writeReply(writer, events, reply, first).catch(stop));
  return c.body(readable, 200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" });
}

/** Writes as fast as the reader reads. Rejects when it leaves. */
async function writeReply(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  events: ReplyEvents,
  reply: OpenReply,
  first: ReplyPortion | Promise<ReplyPortion | null>,
): Promise<void> {
  const encoder = new TextEncoder();
  const write = async (text: string) => {
    if (text !== "") await writer.write(encoder.encode(text));
  };
  let start = events.start();
  if (first instanceof Promise) {
    // Its reader needs the id before any text, to stop the reply or to come back to it.
    await write(start);
    start = "";
  }
  let portion = await first;
  await write(start + (portion ? events.portion(portion) : HEARTBEAT));
  while (!portion?.final) {
    portion = await reply.next();
    const written = write(portion ? events.portion(portion) : HEARTBEAT);
    // The end of the stream does not wait until the end of the reply is read.
    if (portion?.final) written.catch(() => undefined);
    else await written;
  }
  await writer.close();
}
