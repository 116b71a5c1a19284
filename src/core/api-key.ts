import type { EpochMs } from "./time.ts";
import type { CallerRole } from "./caller.ts";

/** An API key as lists show it. The key itself is never stored, only its hash (`store/api-keys.ts`). */
export interface ApiKey {
  id: string;
  name: string;
  role: CallerRole;
  /** The client whose sessions a key with role `client` can use; `null` for every other role. */
  clientId: string | null;
  expiresAt: EpochMs | null;
  /** Accurate to a few minutes: not every use is written. */
  lastUsedAt: EpochMs | null;
  createdAt: EpochMs;
}
