/**
 * Readers of events over real connections to a started server, closed in every way. Outside Cloudflare's network the runtime
 * notices a lost connection only when it writes to it, so a full session writes to its subscribers before it refuses one.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

/** More than may follow one session, even without the readers whose call never arrives. */
const VISITS = 1_600;

/** Readers at the same time. */
const AT_ONCE = 50;

const ADMIN_KEY = "followers-admin-key-0123456789ab";
const state = mkdtempSync(join(tmpdir(), "parley-followers-"));
const setup = { config: "wrangler.toml", state, vars: { ADMIN_KEY, RATE_LIMITS: "off" } };
let server: Server;

cleanUpAtExit();

beforeAll(async () => {
  await migrate(setup);
  server = await serve(setup);
});

afterAll(async () => {
  await server.stop();
  rmSync(state, { recursive: true, force: true });
});

/** One caller has at most 20 event streams, and those that it has left may still count. */
const CALLERS = 100;
const tokens: string[] = [];
const tokenOf = (n: number): string => tokens[n % CALLERS] ?? "";

async function createTokens(parley: ParleyClient): Promise<void> {
  for (let n = 0; n < CALLERS; n++) {
    const answer = await parley.connection.call<{ data: { key: string } }>({
      method: "POST",
      path: "/keys",
      body: { name: "k", role: "service" },
    });
    tokens.push(answer.data.key);
  }
}

async function createSession(parley: ParleyClient): Promise<string> {
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
  const chatbot = await parley.chatbots.create({ name: "Echo", endpointId: "echo" });
  const client = await parley.clients.create({ name: "Ada" });
  return (await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "followed" })).id;
}

function openConnection(): Promise<Socket> {
  const { hostname, port } = new URL(server.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.on("error", reject);
  });
}

/** Sends a call over a keep-alive connection. */
const send = (socket: Socket, path: string, token: string): Promise<void> =>
  new Promise((resolve) => {
    const { host } = new URL(server.origin);
    const head = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`;
    socket.write(head, () => resolve());
  });

/** Sends a call, and waits until the answer contains `end`. */
async function call(socket: Socket, path: string, end: string, token: string): Promise<void> {
  const answered = new Promise<string>((resolve) => {
    let text = "";
    const take = (bytes: Buffer) => {
      text += String(bytes);
      if (!text.includes(end)) return;
      socket.off("data", take);
      resolve(text);
    };
    socket.on("data", take);
  });
  await send(socket, path, token);
  expect(await answered).toMatch(/^HTTP\/1.1 200 /);
}

/** Marks the end of the answer's headers. */
const HEADERS = "\r\n\r\n";

/** The ways in which a reader leaves. */
const WAYS_TO_LEAVE = [
  async function closesAfterTheFirstEvent(events: string, token: string) {
    const socket = await openConnection();
    await call(socket, events, HEADERS, token);
    socket.destroy();
  },
  async function resetsAfterTheFirstEvent(events: string, token: string) {
    const socket = await openConnection();
    await call(socket, events, HEADERS, token);
    socket.resetAndDestroy();
  },
  async function closesBeforeTheAnswer(events: string, token: string) {
    const socket = await openConnection();
    await send(socket, events, token);
    socket.destroy();
  },
  async function resetsBeforeTheAnswer(events: string, token: string) {
    const socket = await openConnection();
    await send(socket, events, token);
    socket.resetAndDestroy();
  },
  async function closesInTheMiddleOfTheCatchUp(events: string, token: string) {
    const socket = await openConnection();
    await call(socket, `${events}?after=0`, HEADERS, token);
    socket.pause().destroy();
  },
  async function closesAConnectionThatWasKeptAlive(events: string, token: string) {
    const socket = await openConnection();
    await call(socket, "/healthz", '"ok"}', token);
    await call(socket, events, HEADERS, token);
    socket.destroy();
  },
];

const visit = async (n: number, events: string): Promise<void> =>
  WAYS_TO_LEAVE[n % WAYS_TO_LEAVE.length]?.(events, tokenOf(n));

const follow = (events: string, signal: AbortSignal, token = ADMIN_KEY) =>
  fetch(`${server.origin}${events}`, { headers: { authorization: `Bearer ${token}` }, signal });

it("accepts new subscribers at once after more have left than may follow, and keeps those who stay", async () => {
  const parley = new ParleyClient({ url: server.origin, token: ADMIN_KEY });
  await createTokens(parley);
  const id = await createSession(parley);
  const appendMessage = (content: string) =>
    parley.connection.call({
      method: "POST",
      path: `/sessions/message?sessionId=${id}`,
      body: { message: { role: "user", content } },
    });
  for (let n = 0; n < 8; n++) await appendMessage("x".repeat(100_000));
  const events = `/sessions/${id}/events`;
  const end = new AbortController();
  const staying = await follow(events, end.signal);
  for (let n = 0; n < VISITS; n += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => visit(n + k, events)));
  const later = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => follow(events, end.signal, tokenOf(n))));
  expect(later.map(({ status }) => status)).toEqual(later.map(() => 200));
  await appendMessage("to who stays");
  let received = "";
  const decoder = new TextDecoder();
  for await (const bytes of staying.body ?? []) {
    received += decoder.decode(bytes, { stream: true });
    if (received.includes("to who stays")) break;
  }
  expect(received).toContain("to who stays");
  end.abort();
});
