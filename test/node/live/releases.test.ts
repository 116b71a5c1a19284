/**
 * A deployment, while the Worker of one release calls the objects of the other: every command of a session works in both
 * directions, and answers what it answers within one release.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { buildBundle, lastRelease, startWorkerd } from "../../support/releases.node.ts";
import type { Bundle, Workerd } from "../../support/releases.node.ts";

const ADMIN_KEY = "an-admin-key-for-two-releases-at-once";

cleanUpAtExit();

/** What a step answers, as far as it does not depend on ids and times. */
type Step = [step: string, status: number, seen?: unknown];

/** Calls the API of one server. */
class Caller {
  readonly #url: URL;
  readonly steps: Step[] = [];

  constructor(url: URL) {
    this.#url = url;
  }

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.#url), {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Calls, and notes the step with what `see` reads from the answer. @returns the answer's body */
  async step(
    method: string,
    path: string,
    body?: unknown,
    see?: (answer: Json) => unknown,
    headers = {},
  ): Promise<Json> {
    const response = await this.send(method, path, body, headers);
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    const answer: Json = isJson ? JSON.parse(text) : text;
    const replayed = response.headers.has("idempotency-replayed") ? " (replayed)" : "";
    const name = `${method} ${path.replaceAll(/[\da-f]{24}|_\d{8}-\d{6}/g, "…")}${replayed}`;
    this.steps.push(see && response.ok ? [name, response.status, see(answer)] : [name, response.status]);
    return answer;
  }
}

type Json = ReturnType<typeof JSON.parse>;

const contents = ({ data }: Json) => (data.messages ?? []).map(({ content }: Json) => content);
/** The types of events in the order in which they first come: how a text is cut into events depends on time. */
const eventTypes = (text: string) => [...new Set(text.match(/^event: .*$/gm))];
const EVENTS = { accept: "text/event-stream" };
const TIMESTAMP = "2026-01-02T03:04:05.678Z";

async function chatbotSession(caller: Caller, endpointId: string): Promise<void> {
  const { data: chatbot } = await caller.step("POST", "/chatbots", { name: "Echo", endpointId, greeting: "Hello" });
  const { data: client } = await caller.step("POST", "/clients", { name: "Ada" });
  const session = { chatbotId: chatbot.id, clientId: client.id, title: "Two releases" };
  const { data: created } = await caller.step("POST", "/sessions", session, contents);
  const path = `/sessions/${created._id ?? created.id}`;
  const id = path.slice("/sessions/".length);
  const key = { "idempotency-key": "append-once" };
  const message = { message: { role: "user", content: "one", timestamp: TIMESTAMP } };
  for (let n = 0; n < 2; n++) await caller.step("POST", `/sessions/message?sessionId=${id}`, message, contents, key);
  await caller.step("GET", `${path}/messages`, undefined, ({ data }) => data.messages[1].timestamp);
  const prompt = { content: "two" };
  const replyOf = ({ data }: Json) => data.content;
  for (let n = 0; n < 2; n++)
    await caller.step("POST", `/sessions/chat?sessionId=${id}`, prompt, replyOf, { "idempotency-key": "chat-once" });
  const streamKey = { ...EVENTS, "idempotency-key": "stream-once" };
  for (let n = 0; n < 2; n++)
    await caller.step("POST", `/sessions/chat?sessionId=${id}`, { content: "three" }, eventTypes, streamKey);
  await caller.step("GET", `${path}/messages?after=2`, undefined, contents);
  const all = (answer: Json) => [answer.data.title, answer.data.metadata, answer.data.status, contents(answer)];
  await caller.step("PUT", path, { title: "Renamed", metadata: { a: 1 } }, all);
  await caller.step("POST", `${path}/stop`);
  await caller.step("GET", path, undefined, contents);
  await caller.step("POST", `${path}/end`, undefined, all);
  await caller.step("POST", `/sessions/message?sessionId=${id}`, message);
  await caller.step("GET", path, undefined, contents);
  await caller.step("PUT", path, { status: "ACTIVE" }, all);
  await follow(caller, path);
  await caller.step("DELETE", path);
  await caller.step("GET", path);
}

/** Follows with a key, by event stream and socket; revoking the key ends both. */
async function follow(caller: Caller, path: string): Promise<void> {
  const { data: key } = await caller.step("POST", "/keys", { name: "k", role: "service" });
  const stream = await caller.send("GET", `${path}/events?after=0`, undefined, { authorization: `Bearer ${key.key}` });
  const { data } = await caller.step("POST", `${path}/tickets`);
  const address = new URL(`${path}/ws?ticket=${data.ticket}`, stream.url);
  address.protocol = "ws:";
  const socket = new WebSocket(address.href);
  const answered = new Promise<string>((resolve, reject) => {
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "message-append", id: "f", role: "user", content: "by frame" }));
      socket.send(JSON.stringify({ type: "turn-cancel", id: "g" }));
    });
    socket.addEventListener("message", ({ data: text }) => {
      const event: Json = JSON.parse(String(text));
      if (event.type === "failure" || event.id === "g") resolve(event.type);
    });
    socket.addEventListener("error", () => reject(new Error("No socket")));
  });
  caller.steps.push(["frames", 101, await answered]);
  socket.close();
  await caller.step("DELETE", `/keys/${key.id}`);
  const text = await stream.text();
  caller.steps.push([
    "events until the key is revoked",
    stream.status,
    [/^id: .*$/m.exec(text)?.[0], eventTypes(text)],
  ]);
}

/** A reply that fails, as a client sees it, and as its key shows its session. */
async function failedChat(caller: Caller, endpointId: string): Promise<void> {
  const { data: chatbot } = await caller.step("POST", "/chatbots", { name: "Broken", endpointId });
  const { data: client } = await caller.step("POST", "/clients", { name: "Eve" });
  const { data: created } = await caller.step("POST", "/sessions", { chatbotId: chatbot.id, clientId: client.id });
  const { data: key } = await caller.step("POST", "/keys", { name: "c", role: "client", clientId: client.id });
  const id = created._id ?? created.id;
  const asClient = { ...EVENTS, authorization: `Bearer ${key.key}` };
  const endOf = (text: string) => JSON.parse(/^data: (.*"reply-end".*)$/m.exec(text)?.[1] ?? "{}").error;
  for (const headers of [EVENTS, asClient])
    await caller.step("POST", `/sessions/chat?sessionId=${id}`, { content: "fail" }, endOf, headers);
}

async function comparison(caller: Caller, endpoints: string[]): Promise<void> {
  const { session } = await caller.step("POST", "/v1/sessions", { name: "Two releases", endpoints });
  const path = `/v1/sessions/${session.session_id}`;
  const records = (answer: Json) => Object.values(answer as Record<string, Json[]>).map((chat) => chat.length);
  await caller.step("POST", `${path}/prompt`, { prompt: "one" }, records, { "idempotency-key": "prompt-once" });
  await caller.step("POST", `${path}/prompt`, { prompt: "one" }, records, { "idempotency-key": "prompt-once" });
  await caller.step(
    "POST",
    `${path}/prompt`,
    { prompt: "two" },
    (text) => eventTypes(text).includes("event: turn-ended"),
    EVENTS,
  );
  await caller.step("POST", `${path}/cancel`);
  await caller.step("GET", path);
  await caller.step("GET", `${path}/export?format=csv`, undefined, (text: string) => text.split("\r\n").length);
  const attempts = ({ chats }: Json) => chats.map((chat: Json) => chat.attempts);
  await caller.step("GET", `${path}/stats`, undefined, attempts);
  await caller.step("DELETE", path);
}

async function tour(worker: Bundle, objects: Bundle): Promise<Step[]> {
  const workerd: Workerd = await startWorkerd(worker, objects, { ADMIN_KEY });
  try {
    const caller = new Caller(workerd.url);
    const limits = { max_calls_per_second: 50, max_concurrency: 5 };
    for (const name of ["one", "two"])
      await caller.step("POST", "/v1/llm_endpoints", { name, connector_type: "echo-connector", ...limits });
    // A failed reply has no text, and is a message all the same.
    const params = { fail: 500, max_attempts: 1 };
    await caller.step("POST", "/v1/llm_endpoints", { name: "broken", connector_type: "echo-connector", params });
    await chatbotSession(caller, "one");
    await failedChat(caller, "broken");
    await comparison(caller, ["one", "two", "broken"]);
    return caller.steps;
  } finally {
    await workerd.stop();
  }
}

describe("two releases at once", () => {
  let current: Bundle;
  let expected: Step[];

  beforeAll(async () => {
    current = await buildBundle();
    expected = await tour(current, current);
  });

  it("within one release, every command works", () => {
    expect(expected.filter(([, status]) => status >= 400).map(([step, status]) => [step, status])).toEqual([
      ["POST /sessions/message?sessionId=…", 404],
      ["GET /sessions/…", 404],
    ]);
  });

  it("the last release's Worker works with this one's objects", async () => {
    expect(await tour(lastRelease(), current)).toEqual(expected);
  });

  it("this release's Worker works with the last one's objects", async () => {
    expect(await tour(current, lastRelease())).toEqual(expected);
  });
});
