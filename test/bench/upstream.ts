/**
 * A server that plays a model: it streams chat completions in OpenAI's format, after the delay that the path names.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The reply, one chunk per word. */
const WORDS = "It left the warehouse this morning and should be with you by Thursday .".split(" ").map((w) => ` ${w}`);

/** The whole reply. */
export const REPLY = WORDS.join("");

/** Is in the stream from the first word on. */
export const FIRST_DELTA = `"content":${JSON.stringify(WORDS[0])}`;

/** The reply of a model that takes its time. */
export const DELTAS_OF_SLOW_MODEL = 64;
export const SLOW_DELTA_MS = 20;

const SLOW_WORDS = Array.from({ length: DELTAS_OF_SLOW_MODEL }, (_, nth) => ` word ${nth}`);
export const slowReply = SLOW_WORDS.join("");

export interface Upstream {
  /** The base address of a model whose reply begins after a delay. */
  baseUri: (delayMs: number) => string;
  /** The base address of a model that sends one delta after the other. */
  slowUri: string;
  close: () => void;
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((call, answer) => {
    const [, delayMs] = /^\/delay\/(\d+)\/v1\/chat\/completions$/.exec(call.url ?? "") ?? [];
    call.resume();
    call.once("end", () => void (delayMs === undefined ? replySlowly(answer) : reply(answer, Number(delayMs))));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    slowUri: `http://127.0.0.1:${port}/slow/v1`,
    baseUri: (delayMs) => `http://127.0.0.1:${port}/delay/${delayMs}/v1`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function replySlowly(answer: ServerResponse): Promise<void> {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const started = performance.now();
  for (const [nth, content] of SLOW_WORDS.entries()) {
    // By the clock, so that a late timer does not delay the rest.
    await sleep(Math.max(0, started + (nth + 1) * SLOW_DELTA_MS - performance.now()));
    answer.write(`data: ${JSON.stringify(chunk(choice({ content })))}\n\n`);
  }
  answer.write(`data: ${JSON.stringify(chunk(choice({}, "stop")))}\n\n`);
  answer.end("data: [DONE]\n\n");
}

async function reply(answer: ServerResponse, delayMs: number): Promise<void> {
  if (delayMs > 0) await sleep(delayMs);
  answer.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req-bench" });
  for (const chunk of CHUNKS) answer.write(`data: ${JSON.stringify(chunk)}\n\n`);
  answer.end("data: [DONE]\n\n");
}

const chunk = (choices: object[], usage: object | null = null) => ({
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1_770_000_000,
  model: "bench",
  choices,
  usage,
});

const choice = (delta: object, finishReason: string | null = null) => [
  { index: 0, delta, logprobs: null, finish_reason: finishReason },
];

const CHUNKS = [
  chunk(choice({ role: "assistant", content: "" })),
  ...WORDS.map((content) => chunk(choice({ content }))),
  chunk(choice({}, "stop")),
  chunk([], { prompt_tokens: 24, completion_tokens: WORDS.length, total_tokens: 24 + WORDS.length }),
];
