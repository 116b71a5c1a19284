import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** What one transaction takes of the writes that wait: together this size at most, unless the first alone is larger. */
const MOST = 250_000;

/** After how long a transaction counts as lost, in milliseconds: whoever led it may have gone down in the middle. */
const LOST_MS = 10_000;

/** A transaction under way. */
interface Transaction<Item> {
  since: EpochMs;
  items: Item[];
  /** Those whose items are in it, beside the one who leads it. */
  others: Waiting<Item>[];
}

interface Waiting<Item> {
  items: Item[];
  size: number;
  lead: (transaction: Transaction<Item>) => void;
  written: () => void;
  failed: (error: unknown) => void;
}

export interface Write<Item> {
  items: Item[];
  /** What the items count for, against what one transaction takes. */
  size: number;
  /** Waits until what the items tell of is durable where it comes from: the transaction of another does not wait for that by itself. */
  durable: () => Promise<void>;
  /** One transaction, with these items and those of others. Must do no harm when done twice. */
  write: (items: Item[]) => Promise<void>;
}

/**
 * Gathers what is written while others write into few transactions: the first of those who wait leads the next one, and
 * takes the others along. For all who share an isolate's memory, objects among them. One who writes alone does not wait.
 */
export class GroupCommit<Item> {
  readonly #atOnce: number;
  readonly #underWay = new Set<Transaction<Item>>();
  #waiting: Waiting<Item>[] = [];

  /** @param atOnce transactions under way at once, before others have to wait */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Returns when the items are written. Rejects when their transaction fails, or is lost with the one who led it. */
  async commit(own: Write<Item>): Promise<void> {
    let transaction = this.#begin(own.items);
    if (!transaction) {
      await own.durable();
      transaction = this.#begin(own.items) ?? (await this.#wait(own));
    }
    if (transaction) await this.#lead(transaction, own.write);
  }

  #begin(items: Item[], others: Waiting<Item>[] = []): Transaction<Item> | null {
    for (const other of this.#underWay) if (other.since + LOST_MS <= now()) this.#underWay.delete(other);
    if (this.#underWay.size >= this.#atOnce) return null;
    const transaction = { since: now(), items, others };
    this.#underWay.add(transaction);
    return transaction;
  }

  /** @returns the transaction to lead, or `null` when another has written the items */
  #wait({ items, size }: Write<Item>): Promise<Transaction<Item> | null> {
    // A promise goes on in the invocation that made it, whoever settles it. So each who waits makes their own.
    const { promise, resolve, reject } = Promise.withResolvers<Transaction<Item> | null>();
    const waiting = { items, size, lead: resolve, written: () => resolve(null), failed: reject };
    this.#waiting.push(waiting);
    const timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      reject(new Error("The transaction that others led was lost"));
    }, LOST_MS);
    return promise.finally(() => clearTimeout(timer));
  }

  async #lead(transaction: Transaction<Item>, write: Write<Item>["write"]): Promise<void> {
    try {
      await write(transaction.items);
      for (const { written } of transaction.others) written();
    } catch (error) {
      for (const { failed } of transaction.others) failed(error);
      throw error;
    } finally {
      this.#underWay.delete(transaction);
      this.#next();
    }
  }

  #next(): void {
    let size = 0;
    const beyond = this.#waiting.findIndex((one, place) => (size += one.size) > MOST && place > 0);
    const group = beyond === -1 ? this.#waiting : this.#waiting.slice(0, beyond);
    const [leader, ...others] = group;
    if (!leader) return;
    const items = group.flatMap((one) => one.items);
    const transaction = this.#begin(items, others);
    if (!transaction) return;
    this.#waiting = this.#waiting.slice(group.length);
    leader.lead(transaction);
  }
}
