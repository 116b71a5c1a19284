/** Part `commits`: how often a call waits for the disk: transactions that are committed and synced, in objects and in D1. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, appendMessage, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import { printTable } from "./report.ts";
import { runtimeState } from "./runtime.ts";
import type { Built } from "./servers.ts";
import { copyState, serveBare, serveParley } from "./servers.ts";
import { startUpstream } from "./upstream.ts";

/** Few enough that no file begins its write-ahead log anew, which would lose count. */
const CALLS = 20;

/** A model that takes as long as most do. */
const SLOW_MODEL_MS = 1_500;
const SLOW_CALLS = 4;

/** Until what a call has left behind is written. */
const SETTLE_MS = 1_500;

const MESSAGE = { role: "user", content: MESSAGE_TEXT };

type Call = () => Promise<unknown>;

export async function commits(built: Built): Promise<Finding[]> {
  const [parleyState, bareState] = [
    copyState(built.parley.empty, "parley-commits"),
    copyState(built.bare.empty, "bare-commits"),
  ];
  const [parley, bare, upstream] = [
    await serveParley(built, parleyState),
    await serveBare(built, bareState),
    await startUpstream(),
  ];
  const [toParley, toBare] = [parleyClient(parley.origin), new HttpClient(bare.origin, {}, 1)];
  const sessionOf = async (delayMs: number) =>
    (await createSessionMaker(toParley, await createEndpoint(toParley, `c-${delayMs}`, upstream.baseUri(delayMs))))();
  const [quick, slow] = [await sessionOf(0), await sessionOf(SLOW_MODEL_MS)];
  let key = 0;
  const chat = (id: string) => () => sendChat(toParley, id, { "idempotency-key": `${(key += 1)}` });
  const bareChat = (delayMs: number) => () =>
    toBare.post(`/chat?conversation=${delayMs}`, { content: MESSAGE_TEXT, upstream: upstream.baseUri(delayMs) });
  const measured = async (name: string, calls: number, ofBare: Call, ofParley: Call) => ({
    name,
    bare: await commitsOf(bareState, calls, ofBare),
    parley: await commitsOf(parleyState, calls, ofParley),
  });
  const rows = [
    await measured("chat, a model of 0 ms", CALLS, bareChat(0), chat(quick)),
    await measured(`chat, a model of ${SLOW_MODEL_MS} ms`, SLOW_CALLS, bareChat(SLOW_MODEL_MS), chat(slow)),
    await measured(
      "append",
      CALLS,
      () => toBare.post("/append?conversation=a", MESSAGE),
      () => appendMessage(toParley, quick),
    ),
  ];
  for (const client of [toParley, toBare]) client.close();
  upstream.close();
  await Promise.all([parley.stop(), bare.stop()]);
  printTable("Commits per call", [
    ["", "bare Worker", "Parley"],
    ...rows.map((row) => [row.name, row.bare.toFixed(1), row.parley.toFixed(1)]),
  ]);
  return rows.map(({ name, parley: value }) => ({
    measure: `commits, ${name}`,
    value,
    unit: " a call",
    target: { atMost: name === "append" ? 2 : 3 },
  }));
}

/** The commits of one call, on average. */
async function commitsOf(state: string, calls: number, call: Call): Promise<number> {
  await call();
  await sleep(SETTLE_MS);
  let before = countCommits(state);
  let sum = 0;
  // After each call: the runtime closes the file of an idle object, and its log is gone then.
  const count = () => {
    const after = countCommits(state);
    for (const [file, commitsNow] of after) {
      const known = before.get(file) ?? 0;
      sum += commitsNow < known ? commitsNow : commitsNow - known;
    }
    before = after;
  };
  for (let nth = 0; nth < calls; nth++) {
    await call();
    count();
  }
  await sleep(SETTLE_MS);
  count();
  return Math.round((10 * sum) / calls) / 10;
}

/** The local D1 commits a mark of one page after a read too, which does not count: the real one does not. */
function countCommits(state: string): Map<string, number> {
  const folder = runtimeState(state);
  const [all, ofSeveralPages] = [countTransactions(folder), countTransactions(folder, 2)];
  return new Map(
    [...all].map(([file, count]) => [file, file.startsWith("d1") ? (ofSeveralPages.get(file) ?? 0) : count]),
  );
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * The commits in each write-ahead log of a folder. The frame of a page that ends a transaction names the size of the database then;
 * a frame with other salts than the file is left from before. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 *
 * @param minPages leaves out transactions that write fewer pages
 * @returns the count of each file
 */
export function countTransactions(folder: string, minPages = 1): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith("-wal")) continue;
    const log = readFileSync(join(folder, name));
    if (log.length < HEADER_BYTES) continue;
    let [count, pages] = [0, 0];
    const [pageBytes, salts] = [log.readUInt32BE(8), log.subarray(16, 24)];
    const frameBytes = FRAME_HEADER_BYTES + pageBytes;
    for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
      const isCurrent = log.subarray(at + 8, at + 16).equals(salts);
      pages += 1;
      if (!isCurrent || log.readUInt32BE(at + 4) === 0) continue;
      if (pages >= minPages) count += 1;
      pages = 0;
    }
    counts.set(name, count);
  }
  return counts;
}
