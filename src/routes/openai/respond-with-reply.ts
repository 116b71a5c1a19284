/**
 * Answers with a reply: whole, or as a stream of server-sent events, as fast as its reader takes them. What the events are is for each kind of answer
 * to decide. Effects: reads the reply.
 */
import type { Context } from "hono";
import type { ReplyEnd } from "../../core/reply.ts";
import type { AppEnv } from "../http/context.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { problemOfReply } from "./call-model.ts";
import type { OpenReply } from "./call-model.ts";
import type { FinalEvent, ReplyPortion } from "./reply-inbox.ts";

/** How often a stream without text says that it is alive, in milliseconds: proxies close idle connections. */
const HEARTBEAT_MS = 15_000;

const HEARTBEAT = ": still here\n\n";

/**
 * How long a stream waits for the reply's first text, in milliseconds, so that a failure before it has a status of its own.
 * Then the stream begins without text, because proxies do not wait for ever.
 */
const FIRST_TEXT_WAIT_MS = 10_000;

/** Makes the text of a stream. */
export interface ReplyEvents {
  /** What comes before any text. */
  start: () => string;
  portion: (portion: ReplyPortion) => string;
}

export const dataEvent = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

export const namedEvent = (event: string, data: object): string => `event: ${event}\n${dataEvent(data)}`;

/** How one kind of answer has a reply. */
interface ReplyForm {
  events: ReplyEvents;
  whole: (text: string, end: ReplyEnd) => object;
}

/** Answers with a reply: as it comes, or whole. One that fails before any text has the status of its problem. */
export async function respondWithReply(
  c: Context<AppEnv>,
  reply: OpenReply,
  { events, whole }: ReplyForm,
  isStreamed: boolean,
): Promise<Response> {
  const { inbox } = reply;
  const problemOf = (final: FinalEvent | null) => (final ? problemOfReply(final, c.var.caller) : null);
  if (!isStreamed) {
    const { text, final } = await inbox.all();
    const problem = problemOf(final);
    return problem ? respondWithProblem(c, problem) : c.json(whole(text, final as ReplyEnd));
  }
  const first = await inbox.next(FIRST_TEXT_WAIT_MS);
  const problem = first?.text === "" ? problemOf(first.final) : null;
  if (problem) return respondWithProblem(c, problem);
  return respondWithStream(c, events, reply, first);
}

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
