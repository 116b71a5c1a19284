import type { Caller } from "../../core/caller.ts";
import { presentEvent, serverSentEvent } from "./events.ts";
import type { CloseReason, PresentSession, SessionEvent } from "./events.ts";

/** How much may wait for a reader that is slower than the session, in bytes. What is more, it reads from the log. */
const MAX_WAITING_BYTES = 4_194_304;

const encoder = new TextEncoder();

/** Events of a session's past: pages of them to be read when there is room, then what brings a reader up to now. */
export type Replay = Generator<SessionEvent[], SessionEvent[]>;

/**
 * One reader of server-sent events. Nobody waits for it: one that lags too far behind is cut off, and may resume where it
 * was.
 */
export class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  /** Who reads; `null` where it is the answer to a call, and ends with that. */
  readonly caller: Caller | null;
  readonly #turnId: string | null;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #gone: (stream: EventStream) => void;
  #waiting = 0;
  #live = true;
  #over = false;

  /**
   * @param turnId the one turn that it follows, to its end; `null` for the whole session
   * @param gone called once, when it is over
   */
  constructor(turnId: string | null, caller: Caller | null, gone: (stream: EventStream) => void) {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#turnId = turnId;
    this.caller = caller;
    this.#gone = gone;
    const over = () => this.#finish();
    this.#writer.closed.then(over, over);
  }

  /** Reads the past as fast as it is taken, and is live from then on. Stops when the reader has gone. */
  async catchUp(replay: Replay, present: PresentSession): Promise<void> {
    this.#live = false;
    for (let step = replay.next(); ; step = replay.next()) {
      const bytes = encoder.encode(step.value.map((event) => serverSentEvent(presentEvent(event, present))).join(""));
      if (!step.done) {
        await this.#write(bytes);
        if (this.#over) return;
        continue;
      }
      this.#live = true;
      void this.#write(bytes);
      return;
    }
  }

  /** @param bytes the event, as every reader gets it */
  send(event: SessionEvent, bytes: Uint8Array): void {
    if (!this.#live || !this.#wants(event)) return;
    void this.#write(bytes);
    if (this.#turnId !== null && event.type === "turn-ended") this.end();
    else if (this.#waiting > MAX_WAITING_BYTES) this.cut("The reader is too slow");
  }

  /** Keeps the connection from looking dead. */
  beat(): void {
    if (this.#live) void this.#write(HEARTBEAT);
  }

  /** Ends for a reason, which is its last event. A reader still in the past is cut off: it resumes, and learns then. */
  close({ code, reason }: CloseReason): void {
    if (!this.#live) return this.cut(reason);
    if (this.#turnId === null)
      void this.#write(encoder.encode(serverSentEvent({ type: "stream-closed", code, reason })));
    this.end();
  }

  /** Ends behind what was sent. It is over once the reader has taken that. */
  end(): void {
    void this.#writer.close().catch(ignore);
  }

  /** Is over at once, whatever was not read yet. */
  cut(reason: string): void {
    void this.#writer.abort(new Error(reason)).catch(ignore);
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gone(this);
  }

  #wants(event: SessionEvent): boolean {
    return this.#turnId === null || ("turnId" in event && event.turnId === this.#turnId);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return;
    this.#waiting += bytes.byteLength;
    await this.#writer.write(bytes).catch(ignore);
    this.#waiting -= bytes.byteLength;
  }
}

const HEARTBEAT = encoder.encode(": still here\n\n");

/** The reader has gone, which is noticed elsewhere. */
const ignore = () => undefined;
