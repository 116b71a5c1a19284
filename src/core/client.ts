import type { EpochMs } from "./time.ts";

/** The person who talks to a chatbot. */
export interface Client {
  id: string;
  name: string;
  email: string | null;
  /** The caller's own id for this person. Unique. */
  externalId: string | null;
  /** JSON text of an object. */
  metadata: string | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  deletedAt: EpochMs | null;
}
