/**
 * Sockets and event streams whose clients follow no rule, over real connections to a started server: they answer no Close frame and go on sending,
 * or they never read what they are sent.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";
import { RawSocket, openRawSocket } from "../../support/raw-socket.node.ts";

const ADMIN_KEY = "bad-clients-admin-key-0123456789";
const state = mkdtempSync(join(tmpdir(), "parley-bad-clients-"));
const setup = { config: "wrangler.toml", state, vars: { ADMIN_KEY, RATE_LIMITS: "off" } };
let server: Server;
let parley: ParleyClient;

cleanUpAtExit();

beforeAll(async () => {
  await migrate(setup);
  server = await serve(setup);
  parley = new ParleyClient({ url: server.origin, token: ADMIN_KEY });
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
});

afterAll(async () => {
  await server.stop();
  rmSync(state, { recursive: true, force: true });
});

async function createSession(): Promise<string> {
  const chatbot = await parley.chatbots.create({ name: "Echo", endpointId: "echo" });
  const client = await parley.clients.create({ name: "Ada" });
  return (await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "badly followed" })).id;
}

async function createKey(): Promise<{ id: string; key: string }> {
  const answer = await parley.connection.call({ method: "POST", path: "/keys", body: { name: "k", role: "service" } });
  return (answer as { data: { id: string; key: string } }).data;
}

async function open(sessionId: string, token: string, query = ""): Promise<RawSocket> {
  const opened = await openRawSocket(server.origin, `/sessions/${sessionId}/ws${query}`, token);
  if (typeof opened === "number") throw new Error(`No socket: ${opened}`);
  return opened;
}

async function append(sessionId: string, content: string): Promise<void> {
  const answer = await fetch(`${server.origin}/sessions/message?sessionId=${sessionId}`, {
    method: "POST",
    // The whole session would take more memory than what is measured here.
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", prefer: "return=minimal" },
    body: JSON.stringify({ message: { role: "user", content } }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
}

async function messagesOf(sessionId: string): Promise<string[]> {
  const answer = await parley.connection.call({ method: "GET", path: `/sessions/${sessionId}/messages` });
  return (answer as { data: { messages: { content: string }[] } }).data.messages.map(({ content }) => content);
}

describe("a client that answers no Close frame", () => {
  it("does nothing any more once its key is revoked, and gets no event", async () => {
    const sessionId = await createSession();
    const { id, key } = await createKey();
    const socket = await open(sessionId, key);
    await parley.connection.call({ method: "DELETE", path: `/keys/${id}` });
    await socket.until(({ closeCode }) => closeCode === 4401);
    const eventsBefore = socket.events.length;
    for (let n = 0; n < 5; n++) {
      socket.send({ type: "message-append", id: `a${n}`, role: "assistant", content: "forged" });
      socket.send({ type: "prompt-submit", id: `p${n}`, content: "paid" });
      await sleep(200);
    }
    await append(sessionId, "honest");
    await sleep(200);
    expect(await messagesOf(sessionId)).toEqual(["honest"]);
    expect(socket.events).toHaveLength(eventsBefore);
    socket.drop();
  });

  it("does nothing any more once it has sent too many frames, and holds no place", async () => {
    const sessionId = await createSession();
    const { key } = await createKey();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(sessionId, key)));
    for (const socket of sockets) for (let n = 0; n < 101; n++) socket.send({ type: "turn-cancel", id: `c${n}` });
    for (const socket of sockets) await socket.until(({ closeCode }) => closeCode === 4429);
    // Longer than the window in which frames are counted.
    await sleep(10_500);
    for (const socket of sockets) socket.send({ type: "message-append", id: "a", role: "user", content: "forged" });
    const next = await open(sessionId, key);
    next.send({ type: "message-append", id: "a", role: "user", content: "honest" });
    await next.until(({ events }) => events.some(({ type }) => type === "ack"));
    expect(await messagesOf(sessionId)).toEqual(["honest"]);
    for (const socket of [...sockets, next]) socket.drop();
  });
});

/** Bytes of one message, and how many a session has. */
const MESSAGE_BYTES = 100_000;
const MESSAGES = 160;

/** Callers, and sockets of each: as many as one session accepts. */
const CALLERS = 5;
const SOCKETS_OF_CALLER = 20;

/** Event streams that one caller tries to open, and how many it gets. */
const STREAMS = 400;
const STREAMS_AT_ONCE = 40;
const STREAMS_OF_CALLER = 20;

const residentMb = () => server.residentMb().reduce((sum, mb) => sum + mb, 0);

async function slowestHealthCheck(during: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  void during.finally(() => over.abort());
  let slowest = 0;
  while (!over.signal.aborted) {
    const startedAt = performance.now();
    await fetch(`${server.origin}/healthz`);
    slowest = Math.max(slowest, performance.now() - startedAt);
    await sleep(20);
  }
  return slowest;
}

describe("clients that never read", () => {
  it("get little of a long log and of what follows, and nobody else waits for them", async () => {
    const sessionId = await createSession();
    for (let n = 0; n < MESSAGES; n++) await append(sessionId, "x".repeat(MESSAGE_BYTES));
    const keys = await Promise.all(Array.from({ length: CALLERS }, createKey));
    const before = residentMb();
    const statuses: (number | RawSocket)[] = [];
    const visit = async () => {
      for (let n = 0; n < SOCKETS_OF_CALLER; n++)
        for (const { key } of keys) {
          const opened = await openRawSocket(server.origin, `/sessions/${sessionId}/ws?after=0`, key);
          if (opened instanceof RawSocket) opened.stopReading();
          statuses.push(opened);
        }
      for (let n = 0; n < 20; n++) await append(sessionId, "y".repeat(MESSAGE_BYTES));
    };
    const visited = visit();
    const slowestMs = await slowestHealthCheck(visited);
    await visited;
    await sleep(1_000);
    const grownMb = residentMb() - before;
    const opened = statuses.filter((status) => status instanceof RawSocket);
    console.info({ grownMb: Math.round(grownMb), slowestMs: Math.round(slowestMs), opened: opened.length });
    // Without a limit, 100 sockets hold 1.6 GB.
    expect(grownMb).toBeLessThan(200);
    expect(slowestMs).toBeLessThan(2_000);
    for (const socket of opened) socket.drop();
    // Those who left count no more.
    await sleep(500);
    const reader = await open(sessionId, ADMIN_KEY);
    await append(sessionId, "to who reads");
    await reader.until(({ events }) => events.some(({ content }) => content === "to who reads"));
    reader.drop();
  });

  it("get few event streams each, and whoever reads gets all of a long log", async () => {
    const sessionId = await createSession();
    for (let n = 0; n < MESSAGES; n++) await append(sessionId, "x".repeat(MESSAGE_BYTES));
    const { key } = await createKey();
    const before = residentMb();
    const visit = () => openUnreadStream(`/sessions/${sessionId}/events?after=0`, key);
    const visits: { socket: Socket; status: number }[] = [];
    for (let n = 0; n < STREAMS; n += STREAMS_AT_ONCE)
      visits.push(...(await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, visit))));
    await sleep(1_000);
    const grownMb = residentMb() - before;
    const statuses = visits.map(({ status }) => status);
    console.info({ grownMb: Math.round(grownMb), streams: statuses.filter((status) => status === 200).length });
    expect(statuses.filter((status) => status === 200)).toHaveLength(STREAMS_OF_CALLER);
    expect(statuses.filter((status) => status === 429)).toHaveLength(STREAMS - STREAMS_OF_CALLER);
    // Without a limit, 400 streams hold 900 MB.
    expect(grownMb).toBeLessThan(400);
    expect(await readEvents(sessionId, MESSAGES * MESSAGE_BYTES)).toBeGreaterThanOrEqual(MESSAGES * MESSAGE_BYTES);
    for (const { socket } of visits) socket.destroy();
  });
});

/** Opens an event stream, takes the first of the answer, and never reads again. */
function openUnreadStream(path: string, token: string): Promise<{ socket: Socket; status: number }> {
  const { hostname, port, host } = new URL(server.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
    socket.once("data", (bytes) => {
      socket.pause();
      resolve({ socket, status: Number(/^HTTP\/1.1 (\d+)/.exec(String(bytes))?.[1]) });
    });
  });
}

/** Reads a session's events from the start, until so many bytes have come. @returns how many came */
async function readEvents(sessionId: string, atMost: number): Promise<number> {
  const answer = await fetch(`${server.origin}/sessions/${sessionId}/events?after=0`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  let bytes = 0;
  if (answer.status !== 200) return bytes;
  for await (const chunk of answer.body ?? []) if ((bytes += chunk.byteLength) >= atMost) break;
  return bytes;
}
