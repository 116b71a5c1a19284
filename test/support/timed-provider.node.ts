/**
 * Plays a provider in OpenAI's format that takes a known time for each reply, and counts its calls by model: how many there
 * were at once, and when each began. Runs in Node.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A call that has arrived. */
interface TimedCall {
  model: string;
  /** The last message. */
  prompt: string;
  /** How often the model was asked this before. */
  before: number;
}

/** How a call is answered: a text, or an error with its HTTP status. */
type TimedReply = string | { status: number };

export interface TimedProvider {
  /** The `uri` of an endpoint of type `openai-connector`. */
  uri: string;
  /** The highest number of calls to a model that were open at the same time. */
  mostAtOnce: (model: string) => number;
  /** When each call to a model arrived, in order, in milliseconds of `performance.now()`. */
  startTimes: (model: string) => readonly number[];
  stop: () => Promise<void>;
}

interface Counts {
  open: number;
  most: number;
  starts: number[];
  asked: Map<string, number>;
}

export async function startTimedProvider(
  delayMs: (model: string) => number | Promise<number>,
  reply: (call: TimedCall) => TimedReply,
): Promise<TimedProvider> {
  const models = new Map<string, Counts>();
  const countsOf = (model: string): Counts => {
    const counts = models.get(model) ?? { open: 0, most: 0, starts: [], asked: new Map<string, number>() };
    models.set(model, counts);
    return counts;
  };
  const take = async (request: IncomingMessage, answer: ServerResponse) => {
    const startedAt = performance.now();
    const text = (await request.setEncoding("utf8").toArray()).join("");
    const { model, messages } = JSON.parse(text) as { model: string; messages: { content: string }[] };
    const prompt = messages.at(-1)?.content ?? "";
    const counts = countsOf(model);
    const before = counts.asked.get(prompt) ?? 0;
    counts.asked.set(prompt, before + 1);
    counts.starts.push(startedAt);
    counts.open += 1;
    counts.most = Math.max(counts.most, counts.open);
    answer.on("close", () => (counts.open -= 1));
    await sleep(await delayMs(model));
    write(answer, reply({ model, prompt, before }));
  };
  const server = createServer((request, answer) => void take(request, answer));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    mostAtOnce: (model) => countsOf(model).most,
    startTimes: (model) => countsOf(model).starts,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const USAGE = { prompt_tokens: 20, completion_tokens: 30 };

function write(answer: ServerResponse, reply: TimedReply): void {
  if (typeof reply === "object") {
    answer.writeHead(reply.status, { "content-type": "application/json" });
    return void answer.end(JSON.stringify({ error: { message: "Not this time" } }));
  }
  const choices = [
    { index: 0, delta: { content: reply }, finish_reason: null },
    { index: 0, delta: {}, finish_reason: "stop" },
  ];
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const chunks = [...choices.map((choice) => ({ choices: [choice] })), { choices: [], usage: USAGE }];
  answer.end(`${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`);
}
