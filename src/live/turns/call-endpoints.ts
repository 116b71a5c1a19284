import { exports } from "cloudflare:workers";
import type { ReplyEvent } from "../../core/reply.ts";
import { NOT_CALLED, replyFailure } from "../../core/reply.ts";
import type { OnReplyEvents, ProviderCall } from "../../turn/fan-out.ts";

/**
 * Calls that share an invocation. Six connections of one may wait for response headers, and a seventh would wait unseen:
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const CALLS_PER_INVOCATION = 5;

/**
 * Asks endpoints in invocations of their own, a few in each, and tells what comes from every one: texts, then exactly one
 * end or failure, whatever becomes of the call. Never rejects. Once a question's signal is aborted its provider's request
 * is aborted too.
 */
export async function callEndpoints(questions: ProviderCall[], hear: OnReplyEvents): Promise<void> {
  const wanted = questions.filter(({ signal }) => !signal.aborted);
  const groups: Promise<void>[] = [];
  for (let start = 0; start < wanted.length; start += CALLS_PER_INVOCATION) {
    groups.push(callTogether(wanted.slice(start, start + CALLS_PER_INVOCATION), hear));
  }
  for (const { chatId, signal } of questions) if (signal.aborted) hear(chatId, [{ ...STOPPED, metrics: NOT_CALLED }]);
  await Promise.all(groups);
}

/** How long a call that was stopped may take to tell what became of it, in milliseconds. */
const STOP_WITHIN_MS = 1_000;

const STOPPED = replyFailure("cancelled", "The turn was stopped.");
const BROKEN_OFF = replyFailure("connection_lost", "The call to the endpoint broke off.");

async function callTogether(questions: ProviderCall[], hear: OnReplyEvents): Promise<void> {
  const open = new Map(questions.entries());
  const { promise: allTold, resolve: noteAllTold } = Promise.withResolvers<void>();
  const tell = (index: number, portion: ReplyEvent[]) => {
    const question = open.get(index);
    if (portion.at(-1)?.type !== "text") open.delete(index);
    if (question) hear(question.chatId, portion);
    if (open.size === 0) noteAllTold();
  };
  // Whoever is still waiting when the call breaks off is told below. Once all are told, nobody waits for its end.
  await Promise.race([listen(questions, tell).catch(() => undefined), allTold]);
  for (const [index, { signal }] of open) tell(index, [signal.aborted ? STOPPED : BROKEN_OFF]);
}

async function listen(questions: ProviderCall[], tell: (index: number, portion: ReplyEvent[]) => void): Promise<void> {
  const calls = await exports.ReplyCaller.callAll(questions.map(({ request }) => request));
  const ended = new AbortController();
  for (const [index, { signal }] of questions.entries()) {
    // The caller tells the end itself, with what it knows of the call; this only keeps a turn from waiting for it.
    const stop = () => {
      void calls.stop(index);
      setTimeout(() => tell(index, [STOPPED]), STOP_WITHIN_MS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { signal: ended.signal });
  }
  try {
    for await (const line of linesOf(calls.portions)) {
      const [index, portion] = JSON.parse(line) as [number, ReplyEvent[]];
      tell(index, portion);
    }
  } finally {
    ended.abort();
    calls[Symbol.dispose]();
  }
}

async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const lines = (rest + decoder.decode(chunk.value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
