import { upgradeRequest } from "./streaming/subscription.ts";
import type { Subscription } from "./streaming/subscription.ts";
import type { SessionObject } from "./session-object.ts";

/** What can be asked of a session's object. Outcomes arrive whole: they are values, and so is all that they hold. */
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

/** The object that holds a session while someone is talking. Its name is the session's id. */
export const sessionStub = (env: Env, sessionId: string): SessionStub =>
  // An RPC stub's types make a union of promises of every promise of a union, which nothing can narrow.
  env.SESSIONS.getByName(sessionId);

/** Opens a socket to a session, for a caller who was let in. @returns 101 with the socket, or 404 */
export const openSocket = (env: Env, sessionId: string, following: Subscription): Promise<Response> =>
  env.SESSIONS.getByName(sessionId).fetch("https://session/ws", upgradeRequest(following));
