/** The results of calls with an idempotency key, in the storage and of turns that have not started. Effects: storage. */
import type { EpochMs } from "../../core/time.ts";
import * as statements from "./statements.ts";
import { WaitingResults } from "./waiting-results.ts";
import type { SavedResult } from "./waiting-results.ts";

export class SavedResults {
  /** Results that are saved with the start of their turns. */
  readonly waiting = new WaitingResults();
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The result of a key: of a turn that waits, or saved; `null` if there is none. */
  find(caller: string, key: string): SavedResult | null {
    const waiting = this.waiting.find(caller, key);
    return waiting ?? this.#storage.sql.exec<SavedResult>(statements.FIND_RESULT, caller, key).toArray()[0] ?? null;
  }

  /** Saves the result of a call. Call it in the transaction of the change. */
  save(caller: string, key: string, { fingerprint, seq, turn_id }: SavedResult, at: EpochMs): void {
    this.#storage.sql.exec(statements.SAVE_RESULT, caller, key, fingerprint, seq, turn_id, at);
  }

  /** When a result was last saved; `null` for never. */
  get lastSavedAt(): EpochMs | null {
    return this.#storage.sql.exec<{ at: number | null }>(statements.LAST_RESULT_TIME).one().at;
  }

  /** Deletes results that were saved before a time. */
  delete(before: EpochMs): void {
    this.#storage.sql.exec(statements.DELETE_RESULTS, before);
  }
}
