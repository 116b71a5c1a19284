/**
 * Sends followers of a run how far it is, as server-sent events, and how long it will take. Effects: writes to streams,
 * timers, the clock.
 */
import type { RunProgress, RunStatus } from "../core/run.ts";
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";

/** The shortest time between two events, in milliseconds. */
const EVENT_MS = 250;

/** How often an idle stream gets a comment, so that proxies do not close it, in milliseconds. */
const HEARTBEAT_MS = 30_000;

/** How long a stream stays open: whoever follows on opens another one, and its token is checked again. */
const STREAM_MS = 50_000;

/** Over how much time the rate is measured, in milliseconds. */
const RATE_MS = 60_000;

/** As of a session: each follower is written to at every event. */
const MAX_FOLLOWERS = 1_000;
const MAX_FOLLOWERS_OF_CALLER = 20;

/**
 * How readers that have disconnected are found when there is no room: how often all streams are written to, and the pause
 * between. A lost connection may be reported only after a write, and each proxy on the way takes one more.
 */
const PROBES = 8;
const PROBE_MS = 250;

/** How long this is not repeated when nobody had left, in milliseconds. */
const PROBE_PAUSE_MS = 2_000;

export interface ShownProgress {
  status: RunStatus;
  progress: RunProgress;
  etaSeconds: number | null;
}

interface Follower {
  caller: string;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  timers: ReturnType<typeof setTimeout>[];
  isWriting: boolean;
}

const encoder = new TextEncoder();

const HEARTBEAT = encoder.encode(": still here\n\n");

const eventText = (type: string, fields: object): Uint8Array =>
  encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);

const progressEvent = ({ progress, etaSeconds }: ShownProgress): Uint8Array =>
  eventText("run-progress", { progress, eta_seconds: etaSeconds });

/** Measures how fast answers come. */
export class AnswerRate {
  #samples: { at: EpochMs; done: number }[] = [];

  /** Forgets what was measured: a run that was paused is measured from its resuming on. */
  reset(): void {
    this.#samples = [];
  }

  add(done: number, at: EpochMs): void {
    this.#samples.push({ at, done });
    const first = this.#samples.findIndex((sample) => sample.at >= at - RATE_MS);
    if (first > 0 && this.#samples.length > 1_000) this.#samples.splice(0, first);
    // A sample a second is enough for a run of any speed.
    const [before, last] = this.#samples.slice(-2);
    if (before && last && this.#samples.length > 2 && Math.floor(before.at / 1000) === Math.floor(last.at / 1000))
      this.#samples.splice(-2, 1);
  }

  /** @returns `null` while it is not known */
  etaSeconds({ done, of }: RunProgress): number | null {
    const last = this.#samples.at(-1);
    const first = this.#samples.find(({ at }) => at >= (last?.at ?? 0) - RATE_MS);
    if (!first || !last || last.done <= first.done || last.at <= first.at) return null;
    return Math.ceil((((of - done) / (last.done - first.done)) * (last.at - first.at)) / 1000);
  }
}

export class RunFollowers {
  readonly #followers = new Set<Follower>();
  readonly #read: () => ShownProgress | null;
  readonly #isOver: () => boolean;
  #willSend = false;
  #noProbeBefore: EpochMs = 0;

  /**
   * @param read reads the progress; `null` if the run is gone
   * @param isOver whether no more progress comes. A run that was cancelled still gets the answers in flight.
   */
  constructor(read: () => ShownProgress | null, isOver: () => boolean) {
    this.#read = read;
    this.#isOver = isOver;
  }

  /** @param caller the id of whoever follows */
  hasRoomFor(caller: string): boolean {
    const own = [...this.#followers].filter((follower) => follower.caller === caller);
    return this.#followers.size < MAX_FOLLOWERS && own.length < MAX_FOLLOWERS_OF_CALLER;
  }

  /** Without room for a caller, frees the places of readers that have disconnected. Takes up to 2 seconds. */
  async removeLostReaders(caller: string): Promise<void> {
    for (let probe = 0; probe < PROBES; probe++) {
      if (this.hasRoomFor(caller) || now() < this.#noProbeBefore) return;
      for (const follower of this.#followers) this.#write(follower, HEARTBEAT);
      await scheduler.wait(PROBE_MS);
    }
    if (!this.hasRoomFor(caller)) this.#noProbeBefore = now() + PROBE_PAUSE_MS;
  }

  /** Opens a stream that begins with the progress, and ends with the run or after a minute. */
  open(caller: string): ReadableStream<Uint8Array> {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const follower: Follower = { caller, writer, timers: [], isWriting: false };
    this.#followers.add(follower);
    const close = () => this.#close(follower);
    const beat = () => {
      this.#write(follower, HEARTBEAT);
    };
    follower.timers.push(setTimeout(close, STREAM_MS), setTimeout(beat, HEARTBEAT_MS));
    writer.closed.then(close, close);
    const shown = this.#read();
    if (shown) this.#write(follower, progressEvent(shown), true);
    if (this.#isOver()) this.end();
    return readable;
  }

  /** Sends the progress, soon and not too often. */
  send(): void {
    if (this.#followers.size === 0 || this.#willSend) return;
    this.#willSend = true;
    setTimeout(() => this.#sendNow(), EVENT_MS);
  }

  #sendNow(): void {
    this.#willSend = false;
    const shown = this.#read();
    if (!shown) return;
    const bytes = progressEvent(shown);
    for (const follower of this.#followers) this.#write(follower, bytes);
  }

  /** Sends the last progress and that the run has ended, and closes all streams. */
  end(): void {
    const shown = this.#read();
    for (const follower of this.#followers) {
      if (shown) {
        this.#write(follower, progressEvent(shown), true);
        this.#write(follower, eventText("run-ended", { status: shown.status }), true);
      }
      this.#close(follower);
    }
  }

  /** A reader that is slow misses progress, and gets the newest when it reads on. */
  #write(follower: Follower, bytes: Uint8Array, always = false): void {
    if (follower.isWriting && !always) return;
    follower.isWriting = true;
    follower.writer
      .write(bytes)
      .catch(() => undefined)
      .finally(() => {
        follower.isWriting = false;
      });
  }

  #close(follower: Follower): void {
    if (!this.#followers.delete(follower)) return;
    for (const timer of follower.timers) clearTimeout(timer);
    follower.writer.close().catch(() => undefined);
  }
}
