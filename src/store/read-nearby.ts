/**
 * Reads records for turns from a replica of D1 near the caller, unless that may lack what was changed here. Which records a
 * turn needs is in `turn-context.ts` and `comparison-context.ts`. Effects: D1, memory.
 */
import type { Chatbot } from "../core/chatbot.ts";
import { database, replica } from "./database.ts";
import type { Database } from "./database.ts";
import { recordCache } from "./record-cache.ts";
import type { RecordKey } from "./record-cache.ts";

/** The chatbot's endpoint, and the one for summaries if it names one. */
export const endpointIdsOf = ({ endpointId, context }: Chatbot): string[] =>
  context?.summaryEndpointId === undefined ? [endpointId] : [endpointId, context.summaryEndpointId];

export const endpointKeys = (ids: string[]) => ids.map((id) => ["endpoint", id] as const);

/**
 * Reads from a replica; from the primary if that lacks something, or if something was changed here a moment ago.
 *
 * @param isSettled whether a replica's answer can stand
 */
export async function readNearby<T>(
  d1: D1Database,
  keys: readonly RecordKey[],
  read: (db: Database) => Promise<T>,
  isSettled: (found: T) => boolean,
): Promise<T> {
  if (!keys.some((key) => recordCache.wasChanged(key))) {
    const found = await read(replica(d1));
    if (isSettled(found)) return found;
  }
  return read(database(d1));
}
