/**
 * Callers: who sends a request, with which role. How a token becomes a caller is in `auth/`. Pure.
 */
import type { Role } from "./message.ts";
import type { EpochMs } from "./time.ts";

/**
 * `admin` can do everything. `service` can do everything except write endpoints and manage keys other than short ones
 * for clients. `client` can use the sessions of one client.
 */
export const CALLER_ROLES = ["admin", "service", "client"] as const;
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
  /** The API key. Revoking it closes the caller's open streams. `null` for any other token. */
  keyId: string | null;
  /** Set if and only if the role is `client`. */
  clientId: string | null;
  /** When the token expires. */
  expiresAt: EpochMs | null;
}

/** A caller without a token, if the settings allow one. All such callers look the same. */
export const ANONYMOUS: Caller = { role: "service", id: "anonymous", keyId: null, clientId: null, expiresAt: null };

export const isAnonymous = ({ id }: Pick<Caller, "id">): boolean => id === ANONYMOUS.id;

/** Whether a caller is a program of the operator: it has a token of role `service` or `admin`. */
export const isBackend = ({ role, id }: Pick<Caller, "role" | "id">): boolean =>
  (role === "service" || role === "admin") && !isAnonymous({ id });

/** Whether a caller may append a message of a role: a client speaks for its user only. */
export const canAppend = ({ role }: Pick<Caller, "role">, messageRole: Role): boolean =>
  role !== "client" || messageRole === "user";

/** Opens one socket to one session, once. For browsers, which cannot send a token when they open a socket. */
export interface Ticket {
  hash: string;
  sessionId: string;
  caller: Caller;
  expiresAt: EpochMs;
}
