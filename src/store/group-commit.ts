import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** What one transaction takes of the writes that wait: together this size at most, unless the first alone is larger. */
const MAX_TRANSACTION_SIZE = 250_000;

/** After how long a transaction counts as lost, in milliseconds: whoever led it may have gone down in the middle. */
const TRANSACTION_TIMEOUT_MS = 10_000;

/** A transaction under way. */
interface Transaction<Item> {
  since: EpochMs;
  items: Item[];
  /** Those whose items are in it, beside the one who leads it. */
  members: PendingWrite<Item>[];
}

interface PendingWrite<Item> {
  items: Item[];
  size: number;
  lead: (transaction: Transaction<Item>) => void;
  onWritten: () => void;
  onFailed: (error: unknown) => void;
}

export interface WriteRequest<Item> {
  items: Item[];
  /** What the items count for, against what one transaction takes. */
  size: number;
  /** Waits until what the items tell of is durable where it comes from: the transaction of another does not wait for that by itself. */
  waitUntilDurable: () => Promise<void>;
  /** One transaction, with these items and those of others. Must do no harm when done twice. */
  write: (items: Item[]) => Promise<void>;
}

/**
 * Gathers what is written while others write into few transactions: the first of those who wait leads the next one, and
 * takes the others along. For all who share an isolate's memory, objects among them. One who writes alone does not wait.
 */
export class GroupCommit<Item> {
  readonly #maxTransactions: number;
  readonly #running = new Set<Transaction<Item>>();
  #pending: PendingWrite<Item>[] = [];

  /** @param maxTransactions transactions under way at once, before others have to wait */
  constructor(maxTransactions: number) {
    this.#maxTransactions = maxTransactions;
  }

  /** Returns when the items are written. Rejects when their transaction fails, or is lost with the one who led it. */
  async commit(request: WriteRequest<Item>): Promise<void> {
    let transaction = this.#begin(request.items);
    if (!transaction) {
      await request.waitUntilDurable();
      transaction = this.#begin(request.items) ?? (await this.#wait(request));
    }
    if (transaction) await this.#lead(transaction, request.write);
  }

  #begin(items: Item[], members: PendingWrite<Item>[] = []): Transaction<Item> | null {
    for (const other of this.#running) if (other.since + TRANSACTION_TIMEOUT_MS <= now()) this.#running.delete(other);
    if (this.#running.size >= this.#maxTransactions) return null;
    const transaction = { since: now(), items, members };
    this.#running.add(transaction);
    return transaction;
  }

  /** @returns the transaction to lead, or `null` when another has written the items */
  #wait({ items, size }: WriteRequest<Item>): Promise<Transaction<Item> | null> {
    // A promise goes on in the invocation that made it, whoever settles it. So each who waits makes their own.
    const { promise, resolve, reject } = Promise.withResolvers<Transaction<Item> | null>();
    const pendingWrite = { items, size, lead: resolve, onWritten: () => resolve(null), onFailed: reject };
    this.#pending.push(pendingWrite);
    const timer = setTimeout(() => {
      this.#pending = this.#pending.filter((other) => other !== pendingWrite);
      reject(new Error("The transaction that others led was lost"));
    }, TRANSACTION_TIMEOUT_MS);
    return promise.finally(() => clearTimeout(timer));
  }

  async #lead(transaction: Transaction<Item>, write: WriteRequest<Item>["write"]): Promise<void> {
    try {
      await write(transaction.items);
      for (const { onWritten } of transaction.members) onWritten();
    } catch (error) {
      for (const { onFailed } of transaction.members) onFailed(error);
      throw error;
    } finally {
      this.#running.delete(transaction);
      this.#next();
    }
  }

  #next(): void {
    let size = 0;
    const firstExcluded = this.#pending.findIndex(
      (pending, index) => (size += pending.size) > MAX_TRANSACTION_SIZE && index > 0,
    );
    const group = firstExcluded === -1 ? this.#pending : this.#pending.slice(0, firstExcluded);
    const [leader, ...members] = group;
    if (!leader) return;
    const items = group.flatMap((pending) => pending.items);
    const transaction = this.#begin(items, members);
    if (!transaction) return;
    this.#pending = this.#pending.slice(group.length);
    leader.lead(transaction);
  }
}
