/**
 * Calls the endpoints of a turn: a single one from the object itself, and several in groups, each in an invocation of its
 * own. A group stays below the platform's limit of connections per invocation.
 *
 * What happens during a call does not belong here: that is in `providers/`. Effects: RPC to `ReplyCaller`, network I/O,
 * and timers.
 */
import { exports } from "cloudflare:workers";
import type { ReplyEvent } from "../../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../../core/reply.ts";
import { callEndpoint } from "../../providers/call/call-endpoint.ts";
import type { CallEnvironment } from "../../providers/call/call-endpoint.ts";
import { EventBatcher } from "../../providers/call/event-batcher.ts";
import type { FanOutPorts, OnReplyEvents, ProviderCall } from "../../turn/fan-out.ts";

/**
 * Calls per invocation. Up to six connections can wait for response headers; a seventh is queued without notice.
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const CALLS_PER_INVOCATION = 5;

/**
 * Makes the function that calls endpoints, and passes on the events of each call: texts, then exactly one end or failure.
 * It never rejects. When a call's signal is aborted, the request to its provider is aborted too.
 */
export const endpointCaller =
  (environment: CallEnvironment): FanOutPorts["callEndpoints"] =>
  (calls, onEvents) =>
    callEndpoints(calls, onEvents, environment);

async function callEndpoints(
  calls: ProviderCall[],
  onEvents: OnReplyEvents,
  environment: CallEnvironment,
): Promise<void> {
  const activeCalls = calls.filter(({ signal }) => !signal.aborted);
  // An invocation of its own, with a stream from there, costs as much as the call.
  const make = activeCalls.length === 1 ? runHere : runCalls;
  const run: RunCalls = (some, deliver) => make(some, deliver, environment);
  const groups: Promise<void>[] = [];
  for (let start = 0; start < activeCalls.length; start += CALLS_PER_INVOCATION) {
    groups.push(callTogether(activeCalls.slice(start, start + CALLS_PER_INVOCATION), onEvents, run));
  }
  for (const { chatId, signal } of calls) if (signal.aborted) onEvents(chatId, [{ ...STOPPED, metrics: NOT_CALLED }]);
  await Promise.all(groups);
}

/** How long a stopped call can take to report its end, in milliseconds. */
const STOP_TIMEOUT_MS = 1_000;

const STOPPED = replyFailure("cancelled", "The turn was stopped.");
const CONNECTION_LOST = replyFailure("connection_lost", "The call to the endpoint broke off.");

/** Takes the events of a call, by its index. */
type Deliver = (index: number, events: ReplyEvent[]) => void;

/** Makes calls. Resolves or rejects when they have ended. */
type RunCalls = (calls: ProviderCall[], deliver: Deliver) => Promise<void>;

async function callTogether(calls: ProviderCall[], onEvents: OnReplyEvents, run: RunCalls): Promise<void> {
  const running = new Map(calls.entries());
  const { promise: allEnded, resolve: resolveAllEnded } = Promise.withResolvers<void>();
  const deliver: Deliver = (index, events) => {
    const call = running.get(index);
    if (events.at(-1)?.type !== "text") running.delete(index);
    if (call) onEvents(call.chatId, events);
    if (running.size === 0) resolveAllEnded();
  };
  // If the invocation fails, the loop below ends the calls that still run. Once all calls have ended, its own end does
  // not matter.
  await Promise.race([run(calls, deliver).catch(() => undefined), allEnded]);
  for (const [index, { signal }] of running) deliver(index, [signal.aborted ? STOPPED : CONNECTION_LOST]);
}

/** Makes a single call in the invocation of the object. */
async function runHere([call]: ProviderCall[], deliver: Deliver, environment: CallEnvironment): Promise<void> {
  if (!call) return;
  const batcher = new EventBatcher(1, (batch) => {
    for (const [index, events] of batch) deliver(index, events);
  });
  try {
    await callEndpoint(call.request, call.signal, (portion) => batcher.send(0, portion), environment);
  } finally {
    batcher.flush();
  }
}

/** Makes calls in an invocation of their own. */
async function runCalls(calls: ProviderCall[], deliver: Deliver, { slotHolder }: CallEnvironment): Promise<void> {
  const requests = calls.map(({ request }) => request);
  const remote = await exports.ReplyCaller.callAll({ requests, slotHolder });
  const ended = new AbortController();
  for (const [index, { signal }] of calls.entries()) {
    // The invocation reports the end itself, with the metrics of the call. The timer only limits the wait.
    const stop = () => {
      void remote.stop({ index });
      setTimeout(() => deliver(index, [STOPPED]), STOP_TIMEOUT_MS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { signal: ended.signal });
  }
  try {
    for await (const line of linesOf(remote.portions)) {
      const [index, events] = JSON.parse(line) as [number, ReplyEvent[]];
      deliver(index, events);
    }
  } finally {
    ended.abort();
    remote[Symbol.dispose]();
  }
}

/** The lines of a stream. Joins the parts of a line only once, so that a long line in small chunks takes linear time. */
export async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const [end = "", ...starts] = decoder.decode(chunk.value, { stream: true }).split("\n");
    parts.push(end);
    for (const start of starts) {
      yield parts.join("");
      parts = [start];
    }
  }
}
