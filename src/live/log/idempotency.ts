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
export function findResult(log: Log, own: IdempotencyKey | null, asked: object): SavedResult | "conflict" | null {
  const before = own && log.findSavedResult(own.caller, own.key);
  if (!before) return null;
  return before.fingerprint === fingerprintOf(asked) ? before : "conflict";
}

/** Remembers what becomes of a thing that was asked for. Call it in the transaction of the thing. */
export function saveResult(
  log: Log,
  own: IdempotencyKey | null,
  asked: object,
  became: Pick<SavedResult, "seq" | "turn_id">,
  at: EpochMs,
): void {
  if (own) log.saveResult(own.caller, own.key, { fingerprint: fingerprintOf(asked), ...became }, at);
}

const fingerprintOf = (asked: object): string => createHash("sha256").update(JSON.stringify(asked)).digest("hex");
