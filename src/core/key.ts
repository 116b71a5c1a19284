import type { EpochMs } from "./time.ts";

/** `admin`: everything. `service`: all but keys, and endpoints read-only. `client`: one client's own sessions. */
export const ROLES_OF_CALLERS = ["admin", "service", "client"] as const;
export type CallerRole = (typeof ROLES_OF_CALLERS)[number];

/** A key as it is listed: never with the secret itself. */
export interface ApiKey {
  id: string;
  name: string;
  role: CallerRole;
  clientId: string | null;
  expiresAt: EpochMs | null;
  createdAt: EpochMs;
}

/** Who holds the token of a call. */
export interface Caller {
  role: CallerRole;
  /** Key id, or `admin` for the bootstrap key. */
  id: string;
  clientId: string | null;
  /** When the token expires that was shown. */
  expiresAt: EpochMs | null;
}

/** Lets its holder open one socket to one session, once, in a browser, which cannot send a token along. */
export interface Ticket {
  hash: string;
  sessionId: string;
  caller: Caller;
  expiresAt: EpochMs;
}
