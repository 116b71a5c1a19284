/**
 * Callers: who sends a request, with which role. How a token becomes a caller is in `auth/`. Pure.
 */
import { REPLY_ERROR_MESSAGES } from "./failure.ts";
import type { AdoptedAuthor, Author, HumanAuthor, ReplyError, Role } from "./message.ts";
import type { EpochMs } from "./time.ts";

/**
 * `admin` can do everything. `service` can do everything except write endpoints and manage keys other than short ones
 * for clients. `operator` is a person who reads all chatbot sessions and answers in the chatbot's place. `client` can use
 * the sessions of one client.
 */
export const CALLER_ROLES = ["admin", "service", "operator", "client"] as const;
export type CallerRole = (typeof CALLER_ROLES)[number];

/** The holder of a request's token. */
export interface Caller {
  /**
   * `null` if the identity provider knows the user but the user has no role in Parley. Such a caller can do nothing.
   */
  role: CallerRole | null;
  /**
   * Unique for each caller: the id of an API key, `admin` for the bootstrap key, `anonymous`, or `jwt:` with the `sub`
   * claim.
   */
  id: string;
  /** The API key; `null` for any other token. */
  keyId: string | null;
  /** Set if and only if the role is `client`. */
  clientId: string | null;
  /** When the token expires. */
  expiresAt: EpochMs | null;
  /** The name of the API key. Absent for any other token. */
  name?: string;
}

/**
 * What can be revoked of a caller, and then closes its open streams: its API key or, without one, its client. `null` if
 * nothing can: a token of another role that is no API key only expires.
 */
export const revocableId = ({ keyId, clientId }: Pick<Caller, "keyId" | "clientId">): string | null =>
  keyId ?? (clientId === null ? null : revocableClientId(clientId));

/** The {@link revocableId} of all callers of a client. */
export const revocableClientId = (clientId: string): string => `client:${clientId}`;

/** Whether a caller's streams close when this is revoked. */
export const dependsOn = (caller: Pick<Caller, "keyId" | "clientId">, revokedId: string): boolean =>
  caller.keyId === revokedId || (caller.clientId !== null && revocableClientId(caller.clientId) === revokedId);

/** A caller without a token, if the settings allow one. All such callers look the same. */
export const ANONYMOUS: Caller = { role: "service", id: "anonymous", keyId: null, clientId: null, expiresAt: null };

/**
 * What one caller's subscriptions are counted by. Each socket of a caller without a token has an id of its own; nothing
 * distinguishes such callers, so together they count as one.
 */
export const subscriberId = ({ id }: Pick<Caller, "id">): string =>
  id.startsWith(`${ANONYMOUS.id}:`) ? ANONYMOUS.id : id;

export const isAnonymous = ({ id }: Pick<Caller, "id">): boolean => id === ANONYMOUS.id;

/** Whether a caller is a program of the operator: it has a token of role `service` or `admin`. */
export const isBackend = ({ role, id }: Pick<Caller, "role" | "id">): boolean =>
  (role === "service" || role === "admin") && !isAnonymous({ id });

/** Whether a caller may append a message of a role: a client speaks for its user only. */
export const canAppend = ({ role }: Pick<Caller, "role">, messageRole: Role): boolean =>
  role !== "client" || messageRole === "user";

/** The message to a caller that may not append. */
export const CANNOT_APPEND = "A client appends messages of role user only";

/** Whether a caller may send prompts to a chatbot, and stop their turns: an operator answers in its place. */
export const canChat = ({ role }: Pick<Caller, "role">): boolean => role !== "operator";

/** The message to a caller that may not send prompts. */
export const CANNOT_CHAT = "An operator sends no prompts and stops no turns: it takes over, and appends messages";

/** Who appends a message. */
export interface Writer {
  role: CallerRole | null;
  id: string;
  name: string;
}

/** The caller as the writer of a message. */
export const writerOf = ({ role, id, name }: Caller): Writer => ({ role, id, name: name ?? id });

/** Whether a caller may see a message of a role: system messages are instructions to the model. */
export const canSee = ({ role }: Pick<Caller, "role">, messageRole: Role): boolean =>
  role !== "client" || messageRole !== "system";

/** The error as a caller of a role gets it: a client gets our own words. @returns the same object for other roles */
export const replyErrorFor = (role: CallerRole | null, error: ReplyError): ReplyError =>
  role === "client" ? { code: error.code, message: REPLY_ERROR_MESSAGES[error.code] } : error;

/** An author as callers get it. */
export type ShownAuthor = HumanAuthor | ({ kind: "adopted" } & Partial<Pick<AdoptedAuthor, "endpoint" | "sessionId">>);

/** An author as a caller of a role gets it: a client does not learn of comparisons. */
export function authorFor(role: CallerRole | null, author: Author): ShownAuthor {
  if (author.kind === "human") return author;
  const { kind, endpoint, sessionId } = author;
  return role === "client" ? { kind } : { kind, endpoint, sessionId };
}

/**
 * Opens one socket or event stream of one session, once. For browsers, which cannot send a token when they open one.
 */
export interface Ticket {
  hash: string;
  sessionId: string;
  caller: Caller;
  expiresAt: EpochMs;
}
