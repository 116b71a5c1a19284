/**
 * The events of a reply for one reader, who takes them when it has time: what has come meanwhile is one portion then, so
 * that a slow reader costs no more memory than the text. Effects: timers.
 */
import type { ReplyEnd, ReplyEvent, ReplyFailure } from "../../core/reply.ts";
import { now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";

/** How a reply ends: a person answers in the place of the model, or as a call to a provider does. */
export type FinalEvent = EndOfReply | ReplyFailure | { type: "human" };

/** What more is known of the end of a turn's reply. */
export interface EndOfReply extends ReplyEnd {
  durationMs?: number | null;
  ttftMs?: number | null;
  /** Whether a person has taken over, and thereby stopped it. */
  isTakenOver?: true;
}

/** A reply that comes in, and who stops it. */
export interface OpenReply {
  inbox: ReplyInbox;
  /** Called when the caller leaves. */
  stop: () => void;
}

/** What has come since the last portion. */
export interface ReplyPortion {
  text: string;
  /** `null` while the reply goes on. */
  final: FinalEvent | null;
}

export class ReplyInbox {
  #text = "";
  #final: ReplyPortion["final"] = null;
  #wake: () => void = () => undefined;
  /** One timer for many waits: setting one for each text takes longer than passing the text on. */
  #timer: ReturnType<typeof setTimeout> | null = null;
  #deadline = 0;

  add(events: readonly (ReplyEvent | FinalEvent)[]): void {
    for (const event of events) {
      if (event.type === "text") this.#text += event.text;
      else this.#final = event;
    }
    this.#wake();
  }

  /** Waits for events. @returns `null` if there are none in time. After the final portion, none come. */
  async next(timeoutMs: number): Promise<ReplyPortion | null> {
    if (this.#isEmpty) await this.#wait(timeoutMs);
    if (this.#isEmpty) return null;
    const portion = { text: this.#text, final: this.#final };
    this.#text = "";
    if (this.#final !== null) this.#setTimer(null);
    return portion;
  }

  /** The whole text, and how the reply has ended. */
  async all(): Promise<{ text: string; final: FinalEvent }> {
    while (this.#final === null) await this.#wait(null);
    return { text: this.#text, final: this.#final };
  }

  get #isEmpty(): boolean {
    return this.#text === "" && this.#final === null;
  }

  async #wait(timeoutMs: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (timeoutMs !== null) this.#wakeAt(now() + timeoutMs);
    await promise;
  }

  #wakeAt(deadline: EpochMs): void {
    const isEarlier = this.#timer !== null && deadline < this.#deadline;
    this.#deadline = deadline;
    if (this.#timer === null || isEarlier) this.#setTimer(deadline - now());
  }

  /** @param ms `null` for none */
  #setTimer(ms: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms === null ? null : setTimeout(() => this.#checkDeadline(), ms);
  }

  #checkDeadline(): void {
    this.#timer = null;
    const leftMs = this.#deadline - now();
    if (leftMs > 0) this.#setTimer(leftMs);
    else this.#wake();
  }
}
