import { exports } from "cloudflare:workers";
import type { ReplyEvent } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import type { Hear, Question } from "../turn/fan-out.ts";

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
export async function askEndpoints(questions: Question[], hear: Hear): Promise<void> {
  const wanted = questions.filter(({ signal }) => !signal.aborted);
  const groups: Promise<void>[] = [];
  for (let start = 0; start < wanted.length; start += CALLS_PER_INVOCATION) {
    groups.push(askTogether(wanted.slice(start, start + CALLS_PER_INVOCATION), hear));
  }
  for (const { chatId, signal } of questions) if (signal.aborted) hear(chatId, [STOPPED]);
  await Promise.all(groups);
}

const STOPPED = replyFailed("cancelled", "The turn was stopped.");

async function askTogether(questions: Question[], hear: Hear): Promise<void> {
  const open = new Map(questions.entries());
  const tell = (index: number, portion: ReplyEvent[]) => {
    const question = open.get(index);
    if (portion.at(-1)?.type !== "text") open.delete(index);
    if (question) hear(question.chatId, portion);
  };
  try {
    await listen(questions, tell);
  } catch {
    // Whoever is still waiting is told below.
  }
  for (const index of open.keys()) {
    tell(index, [replyFailed("connection_lost", "The call to the endpoint broke off.")]);
  }
}

async function listen(questions: Question[], tell: (index: number, portion: ReplyEvent[]) => void): Promise<void> {
  const calls = await exports.ReplyCaller.ask(questions.map(({ request }) => request));
  const ended = new AbortController();
  for (const [index, { signal }] of questions.entries()) {
    const stop = () => {
      tell(index, [STOPPED]);
      void calls.stop(index);
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
