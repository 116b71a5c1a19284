import { createHash } from "node:crypto";
import type { EpochMs } from "../../core/time.ts";
import type { SavedResult, Log } from "./log.ts";

/** A key of a caller's own choice: what is sent again under it is done once. */
export interface IdempotencyKey {
  /** Of whom: another's key of the same text is another key. */
  caller: string;
  key: string;
}

export { IDEMPOTENCY_PERIOD_MS } from "../../core/idempotency.ts";

/** @returns what the caller was told when it asked for the same, `conflict` when it asked for something else, or `null` */
export function findResult(log: Log, key: IdempotencyKey | null, input: object): SavedResult | "conflict" | null {
  const saved = key && log.findSavedResult(key.caller, key.key);
  if (!saved) return null;
  return saved.fingerprint === fingerprintOf(input) ? saved : "conflict";
}

/** Remembers what becomes of a thing that was asked for. Call it in the transaction of the thing. */
export function saveResult(
  log: Log,
  key: IdempotencyKey | null,
  input: object,
  result: Pick<SavedResult, "seq" | "turn_id">,
  at: EpochMs,
): void {
  if (key) log.saveResult(key.caller, key.key, { fingerprint: fingerprintOf(input), ...result }, at);
}

const fingerprintOf = (input: object): string => createHash("sha256").update(JSON.stringify(input)).digest("hex");
