/**
 * How the Worker calls the object of a session. This file alone turns a session's id into a stub. It also exports the
 * types that these calls take and return, so that callers need no other file of `live`.
 *
 * Reading a session from its object or from D1 does not belong here: that is `read-session.ts`. Effects: RPC.
 */
import type { SessionObject } from "./session-object.ts";
import { upgradeRequest } from "./streaming/subscription.ts";
import type { Subscription } from "./streaming/subscription.ts";

export type { IdempotencyKey } from "./log/idempotency.ts";
export type { History, PromptResult, SessionResult, TurnStream } from "./session-results.ts";

/** The calls to a session's object. An outcome is a plain value, so RPC can copy it. */
export type SessionStub = Pick<
  SessionObject,
  | "read"
  | "append"
  | "page"
  | "prompt"
  | "promptAndFollow"
  | "follow"
  | "unfollow"
  | "stop"
  | "cancel"
  | "amend"
  | "end"
  | "remove"
  | "schedule"
  | "catchUp"
  | "dismiss"
>;

/** The object of a session. Its name is the session's id. */
export const sessionStub = (env: Env, sessionId: string): SessionStub =>
  // TypeScript cannot narrow what an RPC stub returns for a method with a union: it is a union of promises.
  env.SESSIONS.getByName(sessionId);

/** Opens a socket to a session for an authenticated caller. @returns 101 with the socket, 404, or 429 */
export const openSocket = (env: Env, sessionId: string, subscription: Subscription): Promise<Response> =>
  env.SESSIONS.getByName(sessionId).fetch("https://session/ws", upgradeRequest(subscription));
