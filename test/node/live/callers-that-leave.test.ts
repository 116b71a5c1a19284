/** A caller that leaves during a turn, in bare workerd. Whoever waits for the same turn, or for the next one, is answered. */
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { buildBundle, startWorkerd } from "../../support/releases.node.ts";
import type { Workerd } from "../../support/releases.node.ts";

const ADMIN_KEY = "an-admin-key-for-callers-that-leave";

/** Calls to the provider that wait for their answer. */
const waiting: ServerResponse[] = [];
let provider: Server;
let workerd: Workerd;

beforeAll(async () => {
  provider = createServer((request, response) => {
    request.resume();
    waiting.push(response);
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const bundle = await buildBundle();
  workerd = await startWorkerd(bundle, bundle, { ADMIN_KEY });
});

afterAll(async () => {
  await workerd.stop();
  provider.closeAllConnections();
  provider.close();
});

async function createSession(): Promise<string> {
  const parley = new ParleyClient({ url: workerd.url.origin, token: ADMIN_KEY });
  const uri = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  await parley.endpoints.create({ name: "slow", connector_type: "openai-connector", uri, model: "m" });
  const chatbot = await parley.chatbots.create({ name: "Slow", endpointId: "slow" });
  const client = await parley.clients.create({ name: "Ada" });
  return (await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "Left" })).id;
}

/** Chats over a connection of its own, which the caller can reset. */
function chatAlone(sessionId: string, content: string, key: string) {
  const { host, hostname, port } = workerd.url;
  const body = JSON.stringify({ content });
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  const head = [
    `POST /sessions/chat?sessionId=${sessionId} HTTP/1.1`,
    `host: ${host}`,
    `authorization: Bearer ${ADMIN_KEY}`,
    "content-type: application/json",
    `idempotency-key: ${key}`,
    `content-length: ${body.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}

async function chat(sessionId: string, content: string, key: string) {
  const response = await fetch(new URL(`/sessions/chat?sessionId=${sessionId}`, workerd.url), {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify({ content }),
  });
  const { data }: { data: { content: string } } = await response.json();
  return [response.status, data.content];
}

/** Waits for a call to the provider, and answers it. */
async function answerNext(text: string): Promise<void> {
  while (waiting.length === 0) await sleep(10);
  const response = waiting.shift();
  response?.writeHead(200, { "content-type": "text/event-stream" });
  response?.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`);
  response?.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`);
  response?.end("data: [DONE]\n\n");
}

it("leaves its turn to whoever repeats its call, and the next turn to others", async () => {
  const id = await createSession();
  // The first call also loads the session, for all.
  const leavers = [chatAlone(id, "one", "first"), chatAlone(id, "one", "first")];
  while (waiting.length === 0) await sleep(10);
  const same = chat(id, "one", "first");
  const next = chat(id, "two", "second");
  await sleep(300);
  for (const leaver of leavers) leaver.resetAndDestroy();
  await sleep(300);
  await answerNext("reply one");
  await answerNext("reply two");
  expect(await Promise.all([same, next])).toEqual([
    [200, "reply one"],
    [200, "reply two"],
  ]);
});
