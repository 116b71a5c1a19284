/**
 * The messages of a chatbot session as a tree: each follows another one, its parent. A message whose parent has another
 * child is a variant of that child. The active path is the conversation that a session shows and that a model gets.
 * Reading a log does not belong here. Pure.
 */
import { failed, success } from "./failure.ts";
import type { Outcome } from "./failure.ts";
import type { Message } from "./message.ts";

/** The longest path that is copied into a session of its own, in one transaction. */
export const MAX_BRANCH_MESSAGES = 10_000;
export const MAX_BRANCH_CHARACTERS = 4_000_000;

/** Messages that follow each other, by their `seq`. `to` is `null` for all that are appended from now on. */
export type PathRange = [from: number, to: number | null];

/**
 * The active path: only messages with text, oldest first. `null` for a session without variants: then all messages with
 * text are on it.
 */
export type ActivePath = PathRange[] | null;

/** @param path that of an object of the last release is not known: it has no variants */
export const isOnPath = (path: ActivePath | undefined, seq: number): boolean =>
  !path || path.some(([from, to]) => from <= seq && seq <= (to ?? seq));

/** The `seq` of the message that a message follows; 0 for none. */
export const parentOf = ({ seq, parentSeq }: Pick<Message, "seq" | "parentSeq">): number => parentSeq ?? seq - 1;

/** The same as callers see it: `null` for none. */
export const shownParentOf = (message: Pick<Message, "seq" | "parentSeq">): number | null => parentOf(message) || null;

/** How many messages a path has. @param lastSeq the last message of the log */
export const lengthOfPath = (path: PathRange[], lastSeq: number): number =>
  path.reduce((sum, [from, to]) => sum + (to ?? lastSeq) - from + 1, 0);

/** The messages of a path, by their `seq`. @param lastSeq the last message of the log */
export const seqsOfPath = (path: PathRange[], lastSeq: number): number[] =>
  path.flatMap(([from, to]) => Array.from({ length: (to ?? lastSeq) - from + 1 }, (_, index) => from + index));

/** A path of messages, with a message more. */
export function extendPath(path: PathRange[], seq: number): PathRange[] {
  const last = path.at(-1);
  if (last?.[1] === null) return path;
  return last?.[1] === seq - 1 ? [...path.slice(0, -1), [last[0], null]] : [...path, [seq, null]];
}

/** A path that does not go on with messages that are appended from now on. @param seq the next message of the log */
export function closePath(path: PathRange[], seq: number): PathRange[] {
  const last = path.at(-1);
  return last?.[1] === null ? [...path.slice(0, -1), [last[0], seq - 1]] : path;
}

/** @returns `session-moved-on` if a caller expects another last message of the log */
export const requireLastSeq = ({ lastSeq }: { lastSeq: number }, expected: number | undefined): Outcome<null> =>
  expected === undefined || expected === lastSeq ? success(null) : failed({ reason: "session-moved-on", lastSeq });

/** What is known of a log without reading its texts. */
export interface TreeShape {
  /** The last message of the log. */
  lastSeq: number;
  /**
   * In the order of the log: messages that do not follow the one just before them, and replies without text. Every other
   * message has text, and follows the one before.
   */
  forks: [seq: number, parentSeq: number, hasText: boolean][];
}

/** The part of a tree's shape that these messages make. */
export const forksOf = (messages: Pick<Message, "seq" | "parentSeq" | "content" | "reply">[]): TreeShape["forks"] =>
  messages.flatMap(({ seq, parentSeq, content, reply }) =>
    parentSeq === undefined ? [] : [[seq, parentSeq, reply === null || content !== ""]],
  );

/** Which of the variants a message is. Both count from 1. */
export interface Variant {
  index: number;
  of: number;
}

export class MessageTree {
  readonly #lastSeq: number;
  readonly #forks: TreeShape["forks"];
  readonly #parents: ReadonlyMap<number, number>;
  readonly #withoutText: ReadonlySet<number>;

  constructor({ lastSeq, forks }: TreeShape) {
    this.#lastSeq = lastSeq;
    this.#forks = forks;
    this.#parents = new Map(forks.map(([seq, parentSeq]) => [seq, parentSeq]));
    this.#withoutText = new Set(forks.flatMap(([seq, , hasText]) => (hasText ? [] : [seq])));
  }

  hasText(seq: number): boolean {
    return seq > 0 && seq <= this.#lastSeq && !this.#withoutText.has(seq);
  }

  parentOf(seq: number): number {
    return this.#parents.get(seq) ?? seq - 1;
  }

  /** The path from the first message to this one. */
  pathTo(seq: number): PathRange[] {
    const path: PathRange[] = [];
    let fork = this.#forks.length - 1;
    for (let to = seq; to > 0;) {
      while ((this.#forks[fork]?.[0] ?? 0) > to) fork -= 1;
      const [from, parentSeq] = this.#forks[fork] ?? [1, 0];
      // A log of earlier code has messages that follow a reply without text.
      if (this.hasText(from)) path.unshift([from, to]);
      else if (from < to) path.unshift([from + 1, to]);
      to = parentSeq;
    }
    return path;
  }

  /** The path through a message, down to the last message that follows it. */
  pathThrough(seq: number): PathRange[] {
    const leaf = this.leafOf(seq);
    const path = this.pathTo(leaf);
    return leaf === this.#lastSeq ? extendPath(path, leaf + 1) : path;
  }

  /** The last message with text of those that follow a message, and this itself if none does. */
  leafOf(seq: number): number {
    const following = new Set([seq]);
    let leaf = seq;
    for (let next = seq + 1; next <= this.#lastSeq; next += 1) {
      if (!following.has(this.parentOf(next))) continue;
      following.add(next);
      if (this.hasText(next)) leaf = next;
    }
    return leaf;
  }

  /** `null` for a message that is the only one with text that follows its parent, and for one without text. */
  variantOf(seq: number): Variant | null {
    if (!this.hasText(seq)) return null;
    const siblings = this.#childrenOf(this.parentOf(seq)).filter((sibling) => this.hasText(sibling));
    return siblings.length > 1 ? { index: siblings.indexOf(seq) + 1, of: siblings.length } : null;
  }

  #childrenOf(parentSeq: number): number[] {
    const next = parentSeq + 1;
    const forked = this.#forks.flatMap(([seq, parent]) => (parent === parentSeq && seq !== next ? [seq] : []));
    return this.parentOf(next) === parentSeq && next <= this.#lastSeq ? [next, ...forked] : forked;
  }

  /** The last message with text up to another; 0 if there is none. */
  lastWithText(upTo = this.#lastSeq): number {
    let seq = Math.min(upTo, this.#lastSeq);
    while (this.#withoutText.has(seq)) seq -= 1;
    return seq;
  }
}
