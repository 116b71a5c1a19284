/**
 * Six readers of a log of 40 MB at once, over real connections: what they add to the server's memory, and how long others
 * wait meanwhile. No answer may be built whole in memory, whichever way the log is read.
 *
 * And thirty who leave: how long others wait then, for every way. That no further page is read for them is not shown here:
 * `test/worker/routes/readers-that-leave.test.ts` counts queries for statistics, exports and messages. Over a connection, the
 * local runtime itself ends a stream whose reader has left. It does not notice that a caller of statistics has left, which are
 * sent in the end only: they are computed for all thirty, page by page behind others.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { collectGarbage, heapMb, openIsolates } from "../../bench/inspector.ts";
import type { Inspector } from "../../bench/inspector.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { quantile } from "../../bench/statistics.ts";
import { buildWorker, runtimeState, serveBuilt } from "../../bench/runtime.ts";
import type { BuiltServer } from "../../bench/runtime.ts";
import { migrate } from "../../bench/wrangler.ts";

const READERS = 6;

/** The most that the readers may add, in MB, and the longest that others may wait, in milliseconds. */
const MAX_ADDED_MB = 64;
const MAX_WAIT_MS = 100;

/** The platform's limit for an isolate, in MB. https://developers.cloudflare.com/workers/platform/limits */
const HEAP_MB = 128;

/** Callers who do not wait for their answers, and how long they stay, in milliseconds. */
const LEAVERS = 30;
const LEAVE_AFTER_MS = 100;

/** 40 MB: a message is 0.1 MB, and a turn with the echo is 0.3 MB, because a reply keeps its prepared prompt. */
const MESSAGES = 400;
const TURNS = 133;
const TEXT = "x".repeat(100_000);

const ADMIN_KEY = "six-readers-of-one-log-of-40-megabytes";
const authorization = `Bearer ${ADMIN_KEY}`;
const state = mkdtempSync(join(tmpdir(), "parley-readers-"));
const config = "wrangler.toml";
const vars = { ADMIN_KEY, RATE_LIMITS: "off" };
let server: BuiltServer;
let worker: Inspector[];
let databases: Inspector[];
let chat: string;
let endedChat: string;
let comparison: string;

cleanUpAtExit();

beforeAll(async () => {
  await migrate({ config, state });
  // Without the proxy of `wrangler dev`: everything that is read passes through it too, in a runtime of its own.
  const bundle = await buildWorker(config, join(state, "bundle"));
  server = await serveBuilt({ config, bundle, state: runtimeState(state), vars, heapMb: HEAP_MB });
  const parley = new ParleyClient({ url: server.origin, token: ADMIN_KEY });
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
  chat = await createChat(parley);
  const message = { role: "user", content: TEXT };
  for (let n = 0; n < MESSAGES; n++) await send(`/sessions/message?sessionId=${chat}`, { message });
  endedChat = await createChat(parley);
  for (let n = 0; n < TURNS; n++) await send(`/sessions/chat?sessionId=${endedChat}`, { content: TEXT });
  await send(`/sessions/${endedChat}/end`, {});
  comparison = await createLongComparison(parley);
  worker = await openIsolates(server.inspector, "core:user:");
  databases = await openIsolates(server.inspector, "d1:");
});

afterAll(async () => {
  for (const { close } of [...worker, ...databases]) close();
  await server.stop();
  rmSync(state, { recursive: true, force: true });
});

async function createChat(parley: ParleyClient): Promise<string> {
  const chatbot = await parley.chatbots.create({ name: "Echo", endpointId: "echo" });
  const client = await parley.clients.create({ name: "Ada" });
  return (await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "long" })).id;
}

async function createLongComparison(parley: ParleyClient): Promise<string> {
  const input = { name: "long", endpoints: ["echo"] };
  const { session } = await parley.connection.call<{ session: { session_id: string } }>({
    method: "POST",
    path: "/v1/sessions",
    body: input,
  });
  for (let n = 0; n < TURNS; n++) await send(`/v1/sessions/${session.session_id}/prompt`, { prompt: TEXT });
  return session.session_id;
}

async function send(path: string, body: object): Promise<void> {
  const headers = { authorization, "content-type": "application/json", prefer: "return=minimal" };
  const answer = await fetch(`${server.origin}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

const open = (path: string) => fetch(`${server.origin}${path}`, { headers: { authorization } });

/** Reads an answer chunk by chunk, until it ends or has so many bytes. @returns how many came, and the last of the text */
async function read(path: string, atMost = Infinity): Promise<{ bytes: number; end: string }> {
  const answer = await open(path);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  let bytes = 0;
  let end = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    end = (end + decoder.decode(chunk, { stream: true })).slice(-200);
    if (bytes >= atMost) break;
  }
  return { bytes, end };
}

/** Reads all pages of messages. @returns the number of bytes */
async function readPages(id: string): Promise<number> {
  let bytes = 0;
  for (let after: string | undefined = "0"; after !== undefined;) {
    const page = await read(`/sessions/${id}/messages?after=${after}&limit=1000`);
    bytes += page.bytes;
    after = /"nextAfter":(\d+)/.exec(page.end)?.[1];
  }
  return bytes;
}

/** Reads a session over sockets until its last message, as a client does that is asked to come back for more. */
async function readSockets(): Promise<number> {
  let characters = 0;
  for (let last = 0; last < MESSAGES;) {
    await readSocket(last, (text) => {
      characters += text.length;
      last = Number(/"seq":(\d+),/.exec(text)?.[1] ?? last);
      return last < MESSAGES;
    });
  }
  return characters;
}

/** Reads a socket until it closes, or until nothing more is wanted. One that is refused, because too much is unread, waits. */
function readSocket(after: number, onText: (text: string) => boolean): Promise<void> {
  const url = `${server.origin.replace("http", "ws")}/sessions/${chat}/ws?after=${after}`;
  // Node's own client accepts headers; the types are those of Workers.
  const socket = new WebSocket(url, { headers: { authorization } } as unknown as string[]);
  return new Promise((resolve) => {
    socket.addEventListener("error", () => setTimeout(resolve, 50));
    // The local runtime passes on the Close frame of a socket that never sent anything only after ten seconds.
    socket.addEventListener("open", () => socket.send("ping"));
    socket.addEventListener("close", () => resolve());
    socket.addEventListener("message", ({ data }) => {
      if (!onText(String(data))) socket.close();
    });
  });
}

/** The texts of the messages, in bytes; those of the ended session are prompts and replies. */
const ALL = MESSAGES * TEXT.length;
const ALL_OF_ENDED = TURNS * 2 * TEXT.length;

const expectTruncated = async (path: string) => {
  const { bytes, end } = await read(path);
  expect(bytes).toBeLessThan(4_100_000);
  expect(end).toContain('"truncated":true');
};

const expectBytes = async (path: string, least: number, atMost = Infinity) => {
  const { bytes } = await read(path, atMost);
  expect(bytes).toBeGreaterThanOrEqual(least);
};

const expectEnd = async (path: string, expected: string) => {
  const { end } = await read(path);
  expect(end).toContain(expected);
};

const WAYS_TO_READ: Record<string, () => Promise<void>> = {
  "the session": () => expectTruncated(`/sessions/${chat}`),
  "an ended session": () => expectTruncated(`/sessions/${endedChat}`),
  "a history on /v1": () => expectTruncated(`/v1/sessions/${comparison}?include_history=true`),
  "all pages of messages": async () => expect(await readPages(chat)).toBeGreaterThan(ALL),
  "all pages of an ended session": async () => expect(await readPages(endedChat)).toBeGreaterThan(ALL_OF_ENDED),
  "all events": () => expectBytes(`/sessions/${chat}/events?after=0`, ALL, ALL),
  "all events of an ended session": () =>
    expectBytes(`/sessions/${endedChat}/events?after=0`, ALL_OF_ENDED, ALL_OF_ENDED),
  "sockets from the start": async () => expect(await readSockets()).toBeGreaterThan(ALL),
  "an export": () => expectBytes(`/v1/sessions/${comparison}/export`, TURNS * 3 * TEXT.length),
  "an export of an ended session": () => expectBytes(`/sessions/${endedChat}/export`, ALL_OF_ENDED),
  "an export without replies": async () => expect((await read(`/sessions/${chat}/export`)).bytes).toBeLessThan(1_000),
  "statistics of a chat": () => expectEnd(`/sessions/${chat}/stats`, `"attempts":0`),
  "statistics of an ended chat": () => expectEnd(`/sessions/${endedChat}/stats`, `"attempts":${TURNS}`),
  "statistics on /v1": () => expectEnd(`/v1/sessions/${comparison}/stats`, `"stop":${TURNS}`),
};

/** Has the Worker and D1 work. */
const wake = () => read(`/sessions/${endedChat}/messages?limit=1`);

const residentMb = () => server.residentMb().reduce((sum, mb) => sum + mb, 0);

/**
 * Calls `/healthz` and measures for how long it waits on the server: not longer than the answer takes, nor than the server
 * computes meanwhile. On a busy machine an answer also waits for the programs of others.
 *
 * @returns milliseconds
 */
async function probe(): Promise<number> {
  const [start, cpuStart] = [performance.now(), server.cpuMs()];
  await (await open("/healthz")).arrayBuffer();
  return Math.min(performance.now() - start, server.cpuMs() - cpuStart);
}

/** Memory in MB: of the whole process, and of it without the heaps of D1, which is another machine on the platform. */
async function measureMemory() {
  const all = residentMb();
  return { all, withoutD1: all - (await heapMb(databases)) };
}

/** @returns the most memory while the work runs, and the waits of calls of others, in milliseconds */
async function observe(work: Promise<unknown>) {
  const ended = new AbortController();
  const end = () => ended.abort();
  work.then(end, end);
  const peak = { all: 0, withoutD1: 0 };
  const waitsMs: number[] = [];
  while (!ended.signal.aborted) {
    waitsMs.push(await probe());
    const { all, withoutD1 } = await measureMemory();
    peak.all = Math.max(peak.all, all);
    peak.withoutD1 = Math.max(peak.withoutD1, withoutD1);
    await sleep(5);
  }
  await work;
  return { peak, waitsMs };
}

/** Callers who leave a moment after they have asked, whether or not their answers have begun. */
async function leave(path: string): Promise<void> {
  const readAndLeave = async () => {
    const signal = AbortSignal.timeout(LEAVE_AFTER_MS);
    const answer = await fetch(`${server.origin}${path}`, { headers: { authorization }, signal });
    await answer.arrayBuffer();
  };
  await Promise.allSettled(Array.from({ length: LEAVERS }, readAndLeave));
}

const readAtOnce = (readOne: () => Promise<void>) => observe(Promise.all(Array.from({ length: READERS }, readOne)));

// Each way begins after one reading and a collection, so that no garbage of others hides what the six add; all of the six's in the
// Worker counts. Heaps have the platform's limit, without which the engine lets garbage grow, and those of D1 are another machine's.
// Tries again for the waits only, which a busy machine makes longer: the memory of all tries counts.
describe.skipIf(!existsSync("/proc/self/status"))("six readers of a log of 40 MB", { retry: 2 }, () => {
  const mostAddedMb = new Map<string, number>();

  it.each(Object.entries(WAYS_TO_READ))("of %s add less than 64 MB, and others do not wait", async (way, readOne) => {
    await readOne();
    // The second collects what the calls held that had not quite ended.
    for (let n = 0; n < 2; n++) {
      await sleep(100);
      await collectGarbage([...worker, ...databases], wake);
    }
    const idle = await observe(sleep(500));
    const before = await measureMemory();
    const { peak, waitsMs } = await readAtOnce(readOne);
    const [p50, p95] = [quantile(waitsMs, 0.5), quantile(waitsMs, 0.95)];
    const addedMb = peak.withoutD1 - before.withoutD1;
    console.info(
      `${way}: ${before.all.toFixed(0)} MB, ${addedMb.toFixed(0)} MB more, with D1 ${(peak.all - before.all).toFixed(0)}; /healthz p50 ${p50.toFixed(1)} ms, ` +
        `p95 ${p95.toFixed(1)} ms, most ${Math.max(...waitsMs).toFixed(1)} ms of ${waitsMs.length}; ` +
        `without readers p95 ${quantile(idle.waitsMs, 0.95).toFixed(1)} ms`,
    );
    mostAddedMb.set(way, Math.max(addedMb, mostAddedMb.get(way) ?? 0));
    expect(mostAddedMb.get(way)).toBeLessThan(MAX_ADDED_MB);
    expect(p95).toBeLessThan(MAX_WAIT_MS);
  });
});

const PATHS: Record<string, () => string> = {
  "an export without replies": () => `/sessions/${chat}/export`,
  "an export of an ended session": () => `/sessions/${endedChat}/export`,
  "an export": () => `/v1/sessions/${comparison}/export`,
  "a page of messages": () => `/sessions/${chat}/messages?limit=1000`,
  "statistics on /v1": () => `/v1/sessions/${comparison}/stats`,
  "all events": () => `/sessions/${chat}/events?after=0`,
};

// Tries again, because a busy machine makes the waits longer, and lets readers leave later in their answers.
describe.skipIf(!existsSync("/proc/self/status"))("thirty readers of a log of 40 MB who leave", { retry: 2 }, () => {
  it.each(Object.entries(PATHS))("of %s do not hold up those who come after them", async (way, path) => {
    await leave(path());
    const waitsMs = [await probe(), await probe(), await probe()];
    console.info(`${way}: the next calls wait ${waitsMs.map((ms) => ms.toFixed(1)).join(", ")} ms`);
    expect(Math.max(...waitsMs)).toBeLessThan(MAX_WAIT_MS);
  });
});
