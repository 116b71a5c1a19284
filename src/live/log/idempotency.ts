/**
 * Idempotency keys of a session: finds and saves the results of calls. A repeated call with the same key has no further
 * effect.
 *
 * What a call does does not belong here: that is `session-room.ts`. Effects: the log's storage.
 */
import { createHash } from "node:crypto";
import type { EpochMs } from "../../core/time.ts";
import type { Log } from "./log.ts";
import type { SavedResult } from "./waiting-results.ts";

/** A caller's idempotency key. */
export interface IdempotencyKey {
  /** The caller's id. Keys of different callers are independent. */
  caller: string;
  key: string;
}

export { IDEMPOTENCY_PERIOD_MS } from "../../core/idempotency.ts";

/**
 * @returns the saved result of the same call, `conflict` if the key was used with other input, or `null` for a new key
 */
export function findResult(log: Log, key: IdempotencyKey | null, input: object): SavedResult | "conflict" | null {
  const saved = key && log.results.find(key.caller, key.key);
  if (!saved) return null;
  return saved.fingerprint === fingerprintOf(input) ? saved : "conflict";
}

/** Saves the result of a call. Call it in the transaction of the change. */
export function saveResult(
  log: Log,
  key: IdempotencyKey | null,
  input: object,
  result: Pick<SavedResult, "seq" | "turn_id">,
  at: EpochMs,
): void {
  if (key) log.results.save(key.caller, key.key, { fingerprint: fingerprintOf(input), ...result }, at);
}

/** Saves the result of a prompt, together with the start of its turn. */
export function saveResultAtStart(
  log: Log,
  key: IdempotencyKey | null,
  input: object,
  result: Pick<SavedResult, "seq" | "turn_id">,
  at: EpochMs,
): void {
  if (key) log.results.waiting.add({ ...key, fingerprint: fingerprintOf(input), ...result, at });
}

const fingerprintOf = (input: object): string => createHash("sha256").update(JSON.stringify(input)).digest("hex");
