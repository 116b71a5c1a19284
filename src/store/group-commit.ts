/**
 * Group commit: combines the writes of several sessions in one isolate into few transactions, because a D1 transaction
 * costs about the same for one row and for ten. What is written belongs to `write-messages.ts`. Effects: the clock and
 * timers; the given functions write.
 */
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** The size limit of a transaction. A first write that is larger still gets a transaction alone. */
const MAX_TRANSACTION_SIZE = 250_000;

/** A transaction that takes longer counts as lost, in milliseconds: its leader may have crashed. */
const TRANSACTION_TIMEOUT_MS = 10_000;

/** A transaction in progress. */
interface Transaction<Item> {
  since: EpochMs;
  items: Item[];
  /** The other writes in the transaction, besides its leader's. */
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
  /** The size of the items, counted against the limit of a transaction. */
  size: number;
  /**
   * Waits until the items are durable at their source. The output gate of a Durable Object does not hold back another
   * object's transaction.
   */
  waitUntilDurable: () => Promise<void>;
  /** Writes these items and those of other writes in one transaction. Must be idempotent. */
  write: (items: Item[]) => Promise<void>;
}

/**
 * Collects writes while other transactions run. The first waiting write leads the next transaction and takes the others
 * with it. Works for all code that shares an isolate's memory, Durable Objects included. A write that finds no other
 * does not wait.
 */
export class GroupCommit<Item> {
  readonly #maxTransactions: number;
  readonly #running = new Set<Transaction<Item>>();
  #pending: PendingWrite<Item>[] = [];

  /** @param maxTransactions concurrent transactions; further writes wait */
  constructor(maxTransactions: number) {
    this.#maxTransactions = maxTransactions;
  }

  /** Resolves when the items are written. Rejects if their transaction fails, or is lost because its leader crashed. */
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

  /** @returns the transaction to lead; `null` if another write has taken the items with it */
  #wait({ items, size }: WriteRequest<Item>): Promise<Transaction<Item> | null> {
    // A promise continues in the invocation that created it, whoever resolves it. So every waiting write creates its
    // own.
    const { promise, resolve, reject } = Promise.withResolvers<Transaction<Item> | null>();
    const pendingWrite = { items, size, lead: resolve, onWritten: () => resolve(null), onFailed: reject };
    this.#pending.push(pendingWrite);
    const timer = setTimeout(() => {
      this.#pending = this.#pending.filter((other) => other !== pendingWrite);
      console.error({ event: "group-commit-lost", items: items.length });
      reject(new Error("The transaction of another write was lost"));
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
