/** A server that plays providers from the recorded answers in `fixtures`, with faults on request. Runs in Node. */
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LLMock } from "@copilotkit/aimock";
import type { TestProject } from "vitest/node";
import { answerCounted, isCounted } from "./counting-provider.node.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

/** The pause in the middle of a slow answer. */
const HALF_TIME_MS = 30;

/** A call as it arrived. */
interface Received {
  /** Milliseconds since 1970. */
  at: number;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body, unparsed. */
  text: string;
  body: unknown;
}

const received: Received[] = [];
let inFlight = 0;

/** Open connections per provider. */
const open = new Map<string, number>();

/** The highest number of open connections per provider. */
const most = new Map<string, number>();

function count(provider: string, by: number): void {
  const now = (open.get(provider) ?? 0) + by;
  open.set(provider, now);
  most.set(provider, Math.max(most.get(provider) ?? 0, now));
}

let mostInFlight = 0;

/** Starts the servers that play providers, on loopback, and gives the tests their addresses. */
export default async function startUpstreams(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, answer) => void handle(request, answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const aimock = new LLMock({ port: 0 });
  aimock.onMessage("count to three", {
    content: "One, two, three: naïve café 北京 🎉.",
    usage: { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 },
  });
  await aimock.start();
  project.provide("upstream", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  project.provide("aimock", aimock.url);
  return async () => {
    await aimock.stop();
    await stop(server);
  };
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

/** What a test can ask the server, by the first segment of the path. */
const QUESTIONS: Record<string, (provider: string) => unknown> = {
  received: (provider) => received.filter(({ path }) => path.startsWith(`/${provider}`)),
  open: (provider) => open.get(provider) ?? 0,
  most: (provider) => most.get(provider) ?? 0,
  "most-in-flight": () => mostInFlight,
};

async function handle(request: IncomingMessage, answer: ServerResponse): Promise<void> {
  const [, provider = "", scene = ""] = (request.url ?? "").split("/");
  const answerQuestion = QUESTIONS[provider];
  if (answerQuestion) return json(answer, 200, answerQuestion(scene));
  const text = await bodyOf(request);
  received.unshift({ at: Date.now(), path: request.url ?? "", headers: request.headers, text, body: JSON.parse(text) });
  inFlight += 1;
  mostInFlight = Math.max(mostInFlight, inFlight);
  count(provider, 1);
  answer.on("close", () => {
    inFlight -= 1;
    count(provider, -1);
  });
  if (isCounted(scene.split("@")[0] ?? ""))
    return answerCounted(scene.split("@")[0] ?? "", request.url ?? "", text, answer);
  await playScene(provider, nextScene(provider, scene), request, answer);
}

async function playScene(provider: string, scene: string, request: IncomingMessage, answer: ServerResponse) {
  if (scene.startsWith("chunk-")) return sse(answer, decodeURIComponent(scene.slice("chunk-".length)));
  const playLong = LONG_SCENES[scene];
  if (playLong) return await playLong(answer);
  if (scene.startsWith("endless-")) return endless(answer, decodeURIComponent(scene.slice("endless-".length)));
  const [, status, hint] = /^(\d{3})(?::(\w+))?$/.exec(scene) ?? [];
  if (status) return answerWithStatus(answer, { status: Number(status), hint }, request);
  if (scene.startsWith("gather-")) return answerWhenGathered(provider, Number(scene.slice("gather-".length)), answer);
  if (scene === "json") return json(answer, 200, { error: { message: "Not quite a success" } });
  if (scene === "html") return void answer.writeHead(200, { "content-type": "text/html" }).end("<p>Welcome</p>");
  const refused = fixtures(provider).get(`${scene}.json`);
  if (refused !== undefined) return json(answer, 400, JSON.parse(refused));
  await playFixture(provider, scene, answer);
}

/** How often each sequence of scenes was called. */
const played = new Map<string, number>();

/** The scene whose turn it is, of a sequence such as `429:ms,hello@abc`. The last one repeats. What follows `@` makes sequences distinct. */
function nextScene(provider: string, course: string): string {
  const scenes = (course.split("@")[0] ?? "").split(",");
  const before = played.get(provider + course) ?? 0;
  played.set(provider + course, before + 1);
  return scenes[Math.min(before, scenes.length - 1)] ?? "";
}

/** Answers nobody until so many callers wait, for 10 s at most. */
async function answerWhenGathered(provider: string, wanted: number, answer: ServerResponse): Promise<void> {
  for (let tick = 0; tick < 500 && (most.get(provider) ?? 0) < wanted; tick++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await playFixture(provider, "hello", answer);
}

/** A stream that the test itself writes. A form feed in it is a pause. */
async function sse(answer: ServerResponse, text: string): Promise<void> {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const [first = "", ...rest] = text.split("\f");
  answer.write(first);
  for (const part of rest) {
    await new Promise((resolve) => setTimeout(resolve, HALF_TIME_MS));
    answer.write(part);
  }
  answer.end();
}

/** Answers in which something is as long as it may be, or longer. */
const LONG_SCENES: Record<string, (answer: ServerResponse) => Promise<void> | void> = {
  longest: (answer) => sse(answer, longestReply()),
  "long-id": (answer) => void answer.writeHead(200, { "x-request-id": "i".repeat(5_000) }).end(),
};

/** A reply of OpenAI's with as many characters as one may have, each of six bytes in JSON. */
function longestReply(): string {
  const choices = [{ index: 0, delta: { content: "\u0001".repeat(400_000) }, finish_reason: "stop" }];
  return `data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n`;
}

/** Repeats a text until the reader leaves. */
async function endless(answer: ServerResponse, text: string): Promise<void> {
  const portion = text.repeat(Math.ceil(65_536 / text.length));
  answer.writeHead(200, { "content-type": "text/event-stream" });
  while (!answer.closed) {
    if (!answer.write(portion)) await once(answer, "drain");
  }
}

async function playFixture(provider: string, scene: string, answer: ServerResponse): Promise<void> {
  const [, base = scene, fault = "none"] = /^(.+)\.(\w+)$/.exec(scene) ?? [];
  const fixture = fixtures(provider).get(base) ?? "";
  if (fault === "mute") return;
  if (fault === "lost") return void answer.destroy();
  answer.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_fixture" });
  if (fault === "silent") return answer.flushHeaders();
  if (fault === "none") return void answer.end(fixture);
  // At this point every recorded answer has some text, but not all of it.
  const cut = fixture.length * 0.6;
  answer.write(fixture.slice(0, cut));
  await playSecondHalf(fault, fixture.slice(cut), answer);
}

/** Plays what follows the first half. */
async function playSecondHalf(fault: string, tail: string, answer: ServerResponse): Promise<void> {
  if (fault === "broken") return void answer.end('\n\ndata: {"not json\n\n');
  if (fault === "truncated") return void answer.end();
  if (fault === "stall") return;
  await new Promise((resolve) => setTimeout(resolve, HALF_TIME_MS));
  if (fault === "reset") return void answer.destroy();
  answer.end(tail);
}

/** The ways in which an answer asks for a later retry. */
const WAITS: Record<string, () => [string, string]> = {
  zero: () => ["retry-after", "0"],
  ms: () => ["retry-after-ms", "40"],
  seconds: () => ["retry-after", "1"],
  date: () => ["retry-after", new Date(Date.now() + 1_500).toUTCString()],
  long: () => ["retry-after", "500"],
};

interface Refusal {
  status: number;
  hint: string | undefined;
}

function answerWithStatus(answer: ServerResponse, { status, hint }: Refusal, request: IncomingMessage): void {
  const names = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
  const key = names.map((name) => request.headers[name] ?? "").join("");
  const wait = WAITS[hint ?? ""];
  if (wait) answer.setHeader(...wait());
  answer.setHeader("x-request-id", "req_refused");
  if (status >= 300 && status < 400) answer.setHeader("location", "http://127.0.0.1:9/elsewhere");
  json(answer, status, { error: { type: "some_error", message: `No, says status ${status}, to the key ${key}` } });
}

function json(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text || "null";
}

function fixtures(provider: string): Map<string, string> {
  // A provider without a folder of its own speaks OpenAI's format.
  const folder = `${FIXTURES}${existsSync(FIXTURES + provider) ? provider : "openai"}/`;
  return new Map(readdirSync(folder).map((file) => [file.replace(/\.sse$/, ""), readFileSync(folder + file, "utf8")]));
}
