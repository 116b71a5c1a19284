/**
 * How a caller follows a session over HTTP, in any dialect: server-sent events, the WebSocket, tickets for both, and the
 * events of one turn. What the events are and who gets them is decided in `live`. Effects: RPC to the session's object,
 * queries to D1.
 */
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod/mini";
import { newTicket } from "../../auth/tickets.ts";
import { rootCause } from "../../core/failure.ts";
import { isAnonymous, revocableId } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import { splitCommaList } from "../../core/comma-list.ts";
import { isoTime, now } from "../../core/time.ts";
import { sessionStub, openSocket } from "../../live/session-client.ts";
import type { SessionStub, TurnStream } from "../../live/session-client.ts";
import { database } from "../../store/database.ts";
import { addSubscription } from "../../store/subscriptions.ts";
import { findSession } from "../../store/sessions.ts";
import { saveTicket } from "../../store/tickets.ts";
import type { AppEnv } from "./context.ts";
import { measure } from "./context.ts";
import { wholeNumber } from "./fields.ts";
import { markReplayed } from "./idempotency.ts";
import type { HttpProblem } from "./problem.ts";
import { requestIdsOf } from "./request-id.ts";
import { respondWithProblem } from "./respond-with-problem.ts";
import type { Ticket } from "./response-fields.ts";

/** Where to start following, after a message or with the next event; and a ticket, for browsers. */
export const FollowQuery = z.strictObject({
  after: z.optional(wholeNumber(0).check(z.meta({ description: "The `seq` of the last message that you have" }))),
  ticket: z.optional(
    z.string().check(
      z.meta({
        description: "Instead of a token, for browsers: from `POST …/tickets`, for one use within 30 seconds",
      }),
    ),
  ),
});

/** Whether `Accept` asks for server-sent events. */
export const wantsEvents = (c: Context): boolean =>
  splitCommaList(c.req.header("accept")).some((type) => /^text\/event-stream\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(type));

/** Whether `Upgrade` asks for a WebSocket. */
const wantsUpgrade = (c: Context): boolean => c.req.header("upgrade")?.toLowerCase() === "websocket";

/** How long a subscription that D1 could not record may stay open, in milliseconds. */
const UNRECORDED_SUBSCRIPTION_MS = 60_000;

/**
 * Opens the events of a session for a reader who follows it: recorded, and counted among its followers.
 *
 * @returns `null` for a reader who comes back and has everything of an ended session
 */
export async function followSession(
  c: Context<AppEnv>,
  sessionId: string,
  { after, isReturning }: { after: number | null; isReturning?: boolean },
): Promise<ReadableStream<Uint8Array> | HttpProblem | null> {
  const caller = await recordSubscriber(c, sessionId);
  if (!caller) return { reason: "unauthenticated" };
  const object = sessionStub(c.env, sessionId);
  const subscription = { caller, after, ...(isReturning === undefined ? {} : { isReturning }) };
  const opened = await openEventStream(c, object, (readerId) => object.follow({ ...subscription, readerId }));
  return opened.ok ? opened.value : opened.failure;
}

/**
 * Records that an API key or a client follows a session, so that revoking the key or deleting the client closes the
 * subscription. While D1 is down nobody can do either; a subscription opened then closes within a minute, and may be
 * opened again.
 *
 * @returns the caller, or `null` when its key was revoked or its client deleted meanwhile
 */
async function recordSubscriber(c: Context<AppEnv>, sessionId: string): Promise<Caller | null> {
  const { caller } = c.var;
  const keyId = revocableId(caller);
  if (keyId === null) return caller;
  try {
    const recorded = addSubscription(database(c.env.DB), { keyId, sessionId });
    return (await measure(c, "index", recorded)) ? caller : null;
  } catch (error) {
    console.error({ event: "subscription-not-recorded", ...requestIdsOf(c), error: rootCause(error) });
    return { ...caller, expiresAt: Math.min(caller.expiresAt ?? Infinity, now() + UNRECORDED_SUBSCRIPTION_MS) };
  }
}

/** Answers with server-sent events. `no-transform` keeps proxies from buffering them. */
const respondWithEventStream = (c: Context, events: ReadableStream<Uint8Array>): Response =>
  c.body(events, 200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" });

/** Answers with a turn's events. */
export function respondWithTurn(c: Context, { events, replayed }: TurnStream): Response {
  markReplayed(c, replayed);
  return respondWithEventStream(c, events);
}

/**
 * Calls a session's object to open an event stream, and calls it again when the caller disconnects. The platform
 * reports a disconnect to the Worker at once; the object would notice it only when it writes to the stream.
 *
 * @param open the call, for a reader with this id
 */
export async function openEventStream<T>(
  c: Context<AppEnv>,
  object: SessionStub,
  open: (readerId: string) => Promise<T>,
): Promise<T> {
  const readerId = crypto.randomUUID();
  const opened = open(readerId);
  // Without it the platform ends the invocation when the caller disconnects before the answer, and the abort event never fires.
  c.executionCtx.waitUntil(opened.catch(ignore));
  const { signal } = c.req.raw;
  // One stub delivers calls in order: this one arrives after `open`, however early the caller disconnects.
  const unfollow = () => c.executionCtx.waitUntil(object.unfollow({ readerId }).catch(ignore));
  if (signal.aborted) unfollow();
  else signal.addEventListener("abort", unfollow, { once: true });
  return measure(c, "session", opened);
}

/** `open` fails where it is awaited. If `unfollow` fails, the object removes the reader at its next heartbeat. */
const ignore = () => undefined;

/** The last message of a reader who comes back: a browser sends it when it reconnects to the same URL. */
function lastEventIdOf(c: Context<AppEnv>): number | null {
  const lastEventId = c.req.header("last-event-id") ?? "";
  return /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null;
}

/** Where to start. `Last-Event-ID` wins over the query. */
const startSeq = (c: Context<AppEnv>, after: number | undefined): number | null => lastEventIdOf(c) ?? after ?? null;

/** Answers 426 to a call that does not ask for a WebSocket. */
export const requireUpgrade: MiddlewareHandler<AppEnv> = async (c, next) =>
  wantsUpgrade(c) ? next() : respondWithProblem(c, { reason: "upgrade-required" });

/** The subprotocol of the socket, which a client may offer. */
const PROTOCOL = "parley.v1";

/**
 * Answers with a session's events. A reader who comes back when nothing will come gets 204, so that it stops: after any
 * other answer an `EventSource` comes back for ever.
 *
 * @param missing the answer when the session does not exist
 */
export async function respondWithEvents(
  c: Context<AppEnv>,
  sessionId: string,
  after: number | undefined,
  missing: HttpProblem,
): Promise<Response> {
  const from = { after: startSeq(c, after), isReturning: lastEventIdOf(c) !== null };
  const followed = await followSession(c, sessionId, from);
  if (followed === null) return c.body(null, 204);
  if (!("reason" in followed)) return respondWithEventStream(c, followed);
  return respondWithProblem(c, followed.reason === "not-found" ? missing : followed);
}

/**
 * The ids of frames are idempotency keys of their caller. Callers without a token would share them, and the frame of one
 * would pass for that of another, so each of their sockets is a caller of its own.
 */
const withOwnFrameIds = (caller: Caller): Caller =>
  isAnonymous(caller) ? { ...caller, id: `${caller.id}:${crypto.randomUUID()}` } : caller;

/** Opens a socket to a session. @param missing the answer when the session does not exist */
export async function respondWithSocket(
  c: Context<AppEnv>,
  sessionId: string,
  after: number | undefined,
  missing: HttpProblem,
): Promise<Response> {
  const caller = await recordSubscriber(c, sessionId);
  if (!caller) return respondWithProblem(c, { reason: "unauthenticated" });
  const subscription = { caller: withOwnFrameIds(caller), after: startSeq(c, after) };
  const opened = await measure(c, "session", openSocket(c.env, sessionId, subscription));
  if (opened.status === 429) return respondWithProblem(c, { reason: "too-many-subscribers" });
  if (opened.webSocket === null) return respondWithProblem(c, missing);
  const offered = splitCommaList(c.req.header("sec-websocket-protocol"));
  return new Response(null, {
    status: 101,
    webSocket: opened.webSocket,
    headers: offered.includes(PROTOCOL) ? { "sec-websocket-protocol": PROTOCOL } : {},
  });
}

/** Creates a ticket for following a session. @returns `null` when the session does not exist */
export async function createFollowTicket(
  c: Context<AppEnv>,
  sessionId: string,
): Promise<z.output<typeof Ticket> | null> {
  const db = database(c.env.DB);
  const session = await measure(c, "index", findSession(db, sessionId));
  if (!session) return null;
  const { text, ticket } = await newTicket(c.var.caller, sessionId, now());
  await measure(c, "index", saveTicket(db, ticket));
  return { ticket: text, expiresAt: isoTime(ticket.expiresAt) };
}
