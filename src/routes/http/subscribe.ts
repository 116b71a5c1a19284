import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import { newTicket } from "../../auth/tickets.ts";
import { rootCause } from "../../core/failure.ts";
import type { Caller } from "../../core/caller.ts";
import { isoTime, now } from "../../core/time.ts";
import { sessionStub, openSocket } from "../../live/session-client.ts";
import type { SessionStub } from "../../live/session-client.ts";
import type { TurnStream } from "../../live/session-results.ts";
import { database } from "../../store/database.ts";
import { addSubscription } from "../../store/subscriptions.ts";
import { findSession } from "../../store/sessions.ts";
import { saveTicket } from "../../store/tickets.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";
import { timeOutput } from "./fields.ts";
import { markReplayed } from "./idempotency.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** From where to follow a session: behind a message, or from now on. */
export const FromQuery = z.object({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ description: "The last message that you have, by its `seq`" }),
});

/** The same for a socket, which a ticket may open. */
export const SocketQuery = FromQuery.extend({
  ticket: z.string().optional().meta({ description: "Instead of a token: one use, 30 seconds" }),
});

/** A ticket as it is handed out. */
export const Ticket = z.object({ ticket: z.string(), expiresAt: timeOutput }).meta({ id: "Ticket" });

/** Whether the caller wants an answer as server-sent events. */
export const wantsEvents = (c: Context): boolean =>
  (c.req.header("accept") ?? "")
    .split(",")
    .some((type) => /^\s*text\/event-stream\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(type));

/** How long something may be open whose follower could not be noted, in milliseconds. */
const UNNOTED_MS = 60_000;

/**
 * Notes who follows a session by an API key, so that the key's revocation finds and closes what is open. While the index
 * database is down nobody can revoke a key; what is opened then is closed within a minute, and may be opened again.
 *
 * @returns who follows, or `null` for one whose key was revoked meanwhile
 */
async function subscriberOf(c: Context<AppEnv>, sessionId: string): Promise<Caller | null> {
  const { caller } = c.var;
  const { keyId } = caller;
  if (keyId === null) return caller;
  try {
    const noted = addSubscription(database(c.env.DB), { keyId, sessionId });
    return (await timed(c, "index", noted)) ? caller : null;
  } catch (error) {
    console.error({ event: "follower-not-noted", requestId: c.var.requestId, error: rootCause(error) });
    return { ...caller, expiresAt: Math.min(caller.expiresAt ?? Infinity, now() + UNNOTED_MS) };
  }
}

/** Answers with server-sent events, which nothing on the way is to hold back. */
const eventStream = (c: Context, events: ReadableStream<Uint8Array>): Response =>
  c.body(events, 200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" });

/** Answers with a turn's events. */
export function respondWithTurn(c: Context, { events, replayed }: TurnStream): Response {
  markReplayed(c, replayed);
  return eventStream(c, events);
}

/**
 * Makes a call to a session's object that opens an event stream, and tells the object when the caller goes away. The
 * platform reports that to the Worker at once; the object would notice it only by writing to the stream.
 *
 * @param open the call, to be made for a reader of that id
 */
export async function openEvents<T>(
  c: Context<AppEnv>,
  object: SessionStub,
  open: (readerId: string) => Promise<T>,
): Promise<T> {
  const readerId = crypto.randomUUID();
  const opened = open(readerId);
  // An invocation whose caller goes away before the answer is ended otherwise, and hears of nothing.
  c.executionCtx.waitUntil(opened.catch(ignore));
  const { signal } = c.req.raw;
  // One stub delivers in order: this arrives behind the call, however early the caller goes.
  const leave = () => c.executionCtx.waitUntil(object.unfollow(readerId).catch(ignore));
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return timed(c, "session", opened);
}

/** A call that fails is answered where it is awaited; a place that is not given up is freed by the heartbeat. */
const ignore = () => undefined;

/** From where to follow: `Last-Event-ID` tells better than an address that was written down before. */
function startSeq(c: Context<AppEnv>, after: number | undefined): number | null {
  const last = c.req.header("last-event-id") ?? "";
  return /^\d{1,15}$/.test(last) ? Number(last) : (after ?? null);
}

/** Refuses what does not ask for a socket. */
export const upgradeOnly: MiddlewareHandler<AppEnv> = async (c, next) =>
  c.req.header("upgrade")?.toLowerCase() === "websocket"
    ? next()
    : respondWithProblem(c, { reason: "upgrade-required" });

/** The name of what is spoken over a socket, where a client asks. */
const PROTOCOL = "parley.v1";

/** Opens a stream of a session's events. @returns `null` when there is no such session */
export async function respondWithEvents(c: Context<AppEnv>, sessionId: string, from: number | undefined) {
  const caller = await subscriberOf(c, sessionId);
  if (!caller) return respondWithProblem(c, { reason: "unauthenticated" });
  const following = { caller, after: startSeq(c, from) };
  const object = sessionStub(c.env, sessionId);
  const followed = await openEvents(c, object, (readerId) => object.follow({ ...following, readerId }));
  if (followed.ok) return eventStream(c, followed.value);
  return followed.failure.reason === "not-found" ? null : respondWithProblem(c, followed.failure);
}

/** Opens a socket to a session. @returns `null` when there is no such session */
export async function openSocketTo(c: Context<AppEnv>, sessionId: string, from: number | undefined) {
  const caller = await subscriberOf(c, sessionId);
  if (!caller) return respondWithProblem(c, { reason: "unauthenticated" });
  const opened = await timed(c, "session", openSocket(c.env, sessionId, { caller, after: startSeq(c, from) }));
  if (opened.status === 429) return respondWithProblem(c, { reason: "too-many-subscribers" });
  if (opened.webSocket === null) return null;
  const offered = (c.req.header("sec-websocket-protocol") ?? "").split(",").map((one) => one.trim());
  return new Response(null, {
    status: 101,
    webSocket: opened.webSocket,
    headers: offered.includes(PROTOCOL) ? { "sec-websocket-protocol": PROTOCOL } : {},
  });
}

/** Hands out a ticket for opening a socket to a session. @returns `null` when there is no such session */
export async function createTicket(c: Context<AppEnv>, sessionId: string): Promise<z.output<typeof Ticket> | null> {
  const db = database(c.env.DB);
  const session = await timed(c, "index", findSession(db, sessionId));
  if (!session) return null;
  const { text, ticket } = await newTicket(c.var.caller, sessionId, now());
  await timed(c, "index", saveTicket(db, ticket));
  return { ticket: text, expiresAt: isoTime(ticket.expiresAt) };
}
