import type { EpochMs } from "./time.ts";

/** `admin`: everything. `service`: all but keys, and endpoints read-only. `client`: one client's own sessions. */
export const CALLER_ROLES = ["admin", "service", "client"] as const;
export type CallerRole = (typeof CALLER_ROLES)[number];

/** Who holds the token of a call. */
export interface Caller {
  /** `null` for one whom the identity provider knows and who has no role here: may do nothing. */
  role: CallerRole | null;
  /** Tells callers apart: a key's id, `admin` for the bootstrap key, `anonymous`, or `jwt:` and the identity provider's subject. */
  id: string;
  /** The API key whose revocation ends what this caller has open; `null` for any other token. */
  keyId: string | null;
  /** Set on the role `client`, and only there. */
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
