/** How often a turn waits for the disk: the transactions that its object and D1 commit, counted in their files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countTransactions } from "../../bench/commits.ts";
import { HttpClient } from "../../bench/http-client.ts";
import { PARLEY_VARS, chatPath, messagePath, parleyHeaders } from "../../bench/parley.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { buildWorker, runtimeState, serveBuilt } from "../../bench/runtime.ts";
import type { BuiltServer } from "../../bench/runtime.ts";
import { PARLEY_CONFIG } from "../../bench/servers.ts";
import { migrate } from "../../bench/wrangler.ts";

/** Until what a call has left behind is written. */
const SETTLE_MS = 1_500;

const folder = mkdtempSync(join(tmpdir(), "parley-commits-"));
const state = join(folder, "state");
let server: BuiltServer;
let client: HttpClient;

cleanUpAtExit();

beforeAll(async () => {
  await migrate({ config: PARLEY_CONFIG, state });
  const bundle = await buildWorker(PARLEY_CONFIG, join(folder, "bundle"));
  server = await serveBuilt({ config: PARLEY_CONFIG, bundle, state: runtimeState(state), vars: PARLEY_VARS });
  client = new HttpClient(server.origin, parleyHeaders, 1);
});

afterAll(async () => {
  client.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const create = async (path: string, body: object): Promise<string> =>
  (JSON.parse((await client.post(path, body)).text) as { data: { id: string } }).data.id;

let endpoints = 0;

async function createSession(params: object): Promise<string> {
  const name = `endpoint-${(endpoints += 1)}`;
  await client.post("/v1/llm_endpoints", { name, connector_type: "echo-connector", params });
  const chatbotId = await create("/chatbots", { name, endpointId: name });
  return create("/sessions", { chatbotId, clientId: await create("/clients", { name: "Ada" }) });
}

const counts = (minPages?: number) => countTransactions(runtimeState(state), minPages);

/** The files of objects that are made while something runs. */
async function objectsOf(run: () => Promise<unknown>): Promise<(file: string) => boolean> {
  const earlier = new Set(counts().keys());
  await run();
  const made = [...counts().keys()].filter((file) => file.includes("SessionObject/") && !earlier.has(file));
  return (file) => made.includes(file) && !file.includes("metadata");
}

/**
 * The transactions of a second call in a session, and of what it leaves behind. The local D1 commits a mark of one page after a
 * read too, which does not count: the real one does not.
 */
async function transactionsOf(call: () => Promise<unknown>) {
  const isObject = await objectsOf(call);
  await sleep(SETTLE_MS);
  const [all, writes] = [counts(), counts(2)];
  await call();
  await sleep(SETTLE_MS);
  const since = (before: Map<string, number>, after: Map<string, number>, isWanted: (file: string) => boolean) =>
    [...after]
      .filter(([file]) => isWanted(file))
      .reduce((total, [file, count]) => total + count - (before.get(file) ?? 0), 0);
  return { objects: since(all, counts(), isObject), d1: since(writes, counts(2), (file) => file.startsWith("d1")) };
}

describe("the commits", () => {
  it("of an append are one of its object and one of D1", async () => {
    const id = await createSession({});
    const append = () => client.post(messagePath(id), { message: { role: "user", content: "Hi" } });
    expect(await transactionsOf(append)).toEqual({ objects: 1, d1: 1 });
  });

  it.each([
    ["at once", {}],
    ["after two seconds", { delay_ms: 2_000 }],
    ["for two seconds", { tokens_per_second: 3 }],
  ])("of a chat with a key, whose model answers %s, are two of its object at most and one of D1", async (_, params) => {
    const id = await createSession(params);
    let key = 0;
    const chat = () =>
      client.post(chatPath(id), { content: "one two three four five six" }, { "idempotency-key": `${(key += 1)}` });
    const { objects, d1 } = await transactionsOf(chat);
    expect(d1).toBe(1);
    // A model that answers at once can end the turn in the transaction of its start.
    expect(objects).toBeLessThanOrEqual(2);
  });

  it("of an alarm that finds no more work is one of the object", async () => {
    const id = await createSession({});
    const isObject = await objectsOf(() => client.post(messagePath(id), { message: { role: "user", content: "Hi" } }));
    // The object is put away after ten seconds, with its log of writes. The alarm comes after thirty.
    await sleep(33_000);
    expect([...counts()].filter(([file]) => isObject(file)).map(([, count]) => count)).toEqual([1]);
  });
});
