/**
 * Results of calls whose turns have not started, in memory. They are saved with the start of the turn, because a commit of
 * their own costs as much. A turn that is lost before its start has done nothing, so its key may be lost too. Pure.
 */
import type { EpochMs } from "../../core/time.ts";

/** The saved result of a call with an idempotency key. */
export type SavedResult = {
  /** Hash of the call's input. A repeated call must have the same. */
  fingerprint: string;
  /** The message that the call appended. */
  seq: number | null;
  /** The turn that the call started. */
  turn_id: string | null;
};

export type WaitingResult = SavedResult & { caller: string; key: string; at: EpochMs };

export class WaitingResults {
  #results: WaitingResult[] = [];

  add(result: WaitingResult): void {
    this.#results.push(result);
  }

  find(caller: string, key: string): SavedResult | null {
    return this.#results.findLast((result) => result.caller === caller && result.key === key) ?? null;
  }

  /** Removes the result of a turn that starts, or that will not. @returns what was there */
  take(turnId: string): WaitingResult[] {
    const taken = this.#results.filter(({ turn_id }) => turn_id === turnId);
    this.#results = this.#results.filter(({ turn_id }) => turn_id !== turnId);
    return taken;
  }
}
