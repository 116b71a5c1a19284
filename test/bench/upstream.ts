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

/** Is in the stream from the first word on. */
export const FIRST_DELTA = `"content":${JSON.stringify(WORDS[0])}`;

export interface Upstream {
  /** The base address of a model whose reply begins after a delay. */
  baseUri: (delayMs: number) => string;
  close: () => void;
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((call, answer) => {
    const delayMs = Number(/^\/delay\/(\d+)\/v1\/chat\/completions$/.exec(call.url ?? "")?.[1]);
    call.resume();
    call.once("end", () => void (Number.isNaN(delayMs) ? answer.writeHead(404).end() : reply(answer, delayMs)));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUri: (delayMs) => `http://127.0.0.1:${port}/delay/${delayMs}/v1`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
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
