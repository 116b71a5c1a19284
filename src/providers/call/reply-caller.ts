/**
 * The Worker entrypoint that calls endpoints for a session. A session's object has one thread, so for several calls it
 * calls this entrypoint, and other threads parse the providers' streams. It passes on events; how one endpoint is called is in
 * `call-endpoint.ts`. Effects: network I/O, timers.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ReplyRequest } from "../../core/reply.ts";
import type { SlotHolder } from "../limits/slot-holder.ts";
import type { OnEvents } from "./attempts.ts";
import { callEndpoint } from "./call-endpoint.ts";
import { EventBatcher } from "./event-batcher.ts";

/** Calls in progress. */
export interface RunningCalls {
  /** The events of all calls, one line of JSON each: `[index, events]`. Cancelling the stream aborts all calls. */
  portions: ReadableStream<Uint8Array>;
  /** Aborts one call. It ends as `cancelled`, unless it has already ended. */
  stop: (call: { index: number }) => void;
}

const encoder = new TextEncoder();

/** A reader that has cancelled gets nothing more. */
const ignore = () => undefined;

/**
 * Calls endpoints in an invocation of its own, which parses providers' responses outside the session's single thread.
 */
export class ReplyCaller extends WorkerEntrypoint<Env> {
  /**
   * Calls endpoints, all at once. Pass at most six requests: an invocation can wait for six response headers at a time.
   */
  callAll({ requests, slotHolder }: { requests: ReplyRequest[]; slotHolder?: SlotHolder | undefined }): RunningCalls {
    const abortControllers = requests.map(() => new AbortController());
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const batcher = new EventBatcher(requests.length, (batch) => {
      const lines = Array.from(batch, (line) => `${JSON.stringify(line)}\n`).join("");
      writer.write(encoder.encode(lines)).catch(ignore);
    });
    const calls = requests.map(async (request, index) => {
      const signal = abortControllers[index]?.signal ?? AbortSignal.abort();
      const onEvents: OnEvents = (portion) => batcher.send(index, portion);
      const waitUntil = (work: Promise<void>) => this.ctx.waitUntil(work);
      await callEndpoint(request, signal, onEvents, { env: this.env, waitUntil, slotHolder });
    });
    void Promise.allSettled(calls).then(() => {
      batcher.flush();
      writer.close().catch(ignore);
    });
    // Rejects if the reader cancels.
    void writer.closed.catch(() => {
      for (const stop of abortControllers) stop.abort();
    });
    return { portions: readable, stop: ({ index }) => abortControllers[index]?.abort() };
  }
}
