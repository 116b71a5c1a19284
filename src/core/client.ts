import type { EpochMs } from "./time.ts";

/** The person whom a chatbot serves. */
export interface Client {
  id: string;
  name: string;
  email: string | null;
  /** The caller's own id for this person; unique. */
  externalId: string | null;
  /** JSON text of an object. */
  metadata: string | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  deletedAt: EpochMs | null;
}
