/**
 * The events of a reply for a reader who takes them when it has time: what has come meanwhile is one portion then, so that a
 * slow reader costs no more memory than the text. Effects: timers.
 */
import type { ReplyEvent } from "../../core/reply.ts";
import { now } from "../../core/time.ts";
import type { FinalEvent, OpenReply, ReplyPortion } from "./open-reply.ts";

/** How often a reader without text learns that the reply goes on, in milliseconds: proxies close idle connections. */
const HEARTBEAT_MS = 15_000;

export class ReplyInbox implements OpenReply {
  readonly stop: () => void;
  readonly #heartbeatMs: number;
  #text = "";
  #final: ReplyPortion["final"] = null;
  #wake: () => void = () => undefined;
  /** One timer for many waits: setting one for each text takes longer than passing the text on. */
  #timer: ReturnType<typeof setTimeout> | null = null;
  #deadline = 0;

  constructor(stop: () => void, heartbeatMs = HEARTBEAT_MS) {
    this.stop = stop;
    this.#heartbeatMs = heartbeatMs;
  }

  add(events: readonly (ReplyEvent | FinalEvent)[]): void {
    for (const event of events) {
      if (event.type === "text") this.#text += event.text;
      else this.#final = event;
    }
    this.#wake();
  }

  async next(): Promise<ReplyPortion | null> {
    if (this.#isEmpty) await this.#wait();
    if (this.#isEmpty) return null;
    const portion = { text: this.#text, final: this.#final };
    this.#text = "";
    if (this.#final !== null && this.#timer !== null) clearTimeout(this.#timer);
    return portion;
  }

  get #isEmpty(): boolean {
    return this.#text === "" && this.#final === null;
  }

  #wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#deadline = now() + this.#heartbeatMs;
    this.#timer ??= setTimeout(() => this.#checkDeadline(), this.#heartbeatMs);
    return promise;
  }

  #checkDeadline(): void {
    const leftMs = this.#deadline - now();
    this.#timer = leftMs > 0 ? setTimeout(() => this.#checkDeadline(), leftMs) : null;
    if (leftMs <= 0) this.#wake();
  }
}
