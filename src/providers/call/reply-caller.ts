/**
 * The Worker entrypoint that calls endpoints for a session. A session's object has one thread, so it calls this
 * entrypoint, and other threads parse the providers' streams. It passes on events; how one endpoint is called is in
 * `call-endpoint.ts`. Effects: network I/O, timers.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ReplyEvent, ReplyRequest } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import type { OnEvents } from "./attempts.ts";
import { callEndpoint } from "./call-endpoint.ts";

/** Calls in progress. */
export interface RunningCalls {
  /** The events of all calls, one line of JSON each: `[index, events]`. Cancelling the stream aborts all calls. */
  portions: ReadableStream<Uint8Array>;
  /** Aborts one call. It ends as `cancelled`, unless it has already ended. */
  stop: (call: { index: number }) => void;
}

/** Shortest time between two batches of text, in milliseconds: short enough for a reader, long enough to be cheap. */
const MIN_SEND_INTERVAL_MS = 40;

/** How long a portion waits for others if none was sent recently, in milliseconds. */
const BATCH_DELAY_MS = 2;

/** Sends events on, in batches of a short time. An end or failure is sent without that delay. */
class EventBatcher {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  #pending = new Map<number, ReplyEvent[]>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #due = 0;
  #lastSent = 0;

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
  }

  /** Resolves when everything was read. Rejects if the reader cancels. */
  get closed(): Promise<void> {
    return this.#writer.closed;
  }

  send(index: number, portion: ReplyEvent[]): void {
    this.#pending.set(index, mergePortions(this.#pending.get(index) ?? [], portion));
    const earliest = now() + BATCH_DELAY_MS;
    this.#sendBy(
      portion.at(-1)?.type === "text" ? Math.max(earliest, this.#lastSent + MIN_SEND_INTERVAL_MS) : earliest,
    );
  }

  close(): void {
    this.#send();
    void this.#writer.close().catch(() => undefined);
  }

  #sendBy(due: EpochMs): void {
    if (this.#timer !== null && this.#due <= due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#send(), due - now());
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pending.size === 0) return;
    const lines = Array.from(this.#pending, (line) => `${JSON.stringify(line)}\n`).join("");
    void this.#writer.write(this.#encoder.encode(lines)).catch(() => undefined);
    this.#pending.clear();
    this.#lastSent = now();
  }
}

/** Joins two portions, with adjacent texts as one. */
function mergePortions(earlier: ReplyEvent[], later: ReplyEvent[]): ReplyEvent[] {
  const [last, next] = [earlier.at(-1), later[0]];
  return last?.type === "text" && next?.type === "text"
    ? [...earlier.slice(0, -1), { type: "text", text: last.text + next.text }, ...later.slice(1)]
    : [...earlier, ...later];
}

/**
 * Calls endpoints in an invocation of its own, which parses providers' responses outside the session's single thread.
 */
export class ReplyCaller extends WorkerEntrypoint<Env> {
  /**
   * Calls endpoints, all at once. Pass at most six requests: an invocation can wait for six response headers at a time.
   */
  callAll({ requests }: { requests: ReplyRequest[] }): RunningCalls {
    const abortControllers = requests.map(() => new AbortController());
    const { readable, writable } = new IdentityTransformStream();
    const batcher = new EventBatcher(writable);
    const calls = requests.map(async (request, index) => {
      const signal = abortControllers[index]?.signal ?? AbortSignal.abort();
      const onEvents: OnEvents = (portion) => batcher.send(index, portion);
      await callEndpoint(request, signal, onEvents, { env: this.env, waitUntil: (work) => this.ctx.waitUntil(work) });
    });
    void Promise.allSettled(calls).then(() => batcher.close());
    void batcher.closed.catch(() => {
      for (const stop of abortControllers) stop.abort();
    });
    return { portions: readable, stop: ({ index }) => abortControllers[index]?.abort() };
  }
}
