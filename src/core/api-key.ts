import type { EpochMs } from "./time.ts";

import type { CallerRole } from "./caller.ts";

/** A key as it is listed: never with the secret itself. */
export interface ApiKey {
  id: string;
  name: string;
  role: CallerRole;
  /** Whose sessions a key of role `client` is for; `null` on every other. */
  clientId: string | null;
  expiresAt: EpochMs | null;
  /** To within some minutes. */
  lastUsedAt: EpochMs | null;
  createdAt: EpochMs;
}
