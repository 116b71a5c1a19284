/** Replication of the logs of several sessions to D1, in shared transactions or alone. */
import { expect, it, vi } from "vitest";
import { Log } from "../../../src/live/log/log.ts";
import { aChatSession, memoryStorage } from "../../support/session-world.ts";

vi.stubGlobal("Cloudflare", { compatibilityFlags: { handle_cross_request_promise_resolution: true } });
const { Replicator } = await import("../../../src/live/replication/replicator.ts");

/** A D1 that counts its transactions, each of which takes some milliseconds. */
function slowD1(delayMs: number) {
  const d1 = { transactions: 0, delayMs };
  const statement = { bind: () => statement };
  const batch = async (statements: unknown[]) => {
    await new Promise((resolve) => setTimeout(resolve, d1.delayMs));
    d1.transactions += 1;
    return statements.map(() => ({ results: [], success: true, meta: {} }));
  };
  return Object.assign(d1, { binding: { prepare: () => statement, batch } as unknown as D1Database });
}

function openSession(d1: ReturnType<typeof slowD1>, number: number, groupCommit: boolean) {
  const storage = Object.assign(memoryStorage(), { setAlarm: async () => undefined, sync: async () => undefined });
  const log = new Log(storage);
  log.beginLoad();
  log.finishLoad(aChatSession({ id: `session-${number}` }), 0, {
    of: "chat",
    chat: { chatbot: null, endpoint: null, client: null },
  });
  const replicator = new Replicator(log, {
    d1: d1.binding,
    storage,
    groupCommit,
    maxWaitMs: 50,
    nextAlarm: () => Infinity,
    onReplicated: async () => undefined,
  });
  const message = {
    role: "user",
    content: "Hi",
    createdAt: 1,
    chatId: null,
    turnId: null,
    turnNumber: null,
    reply: null,
  } as const;
  const append = (count = 1) => {
    log.append(
      Array.from({ length: count }, () => message),
      1,
    );
    replicator.start();
  };
  return { append, replicator, replicated: () => log.loadedState.replicated.lastSeq };
}

/** Appends a message in each of six sessions at the same time. @returns the transactions that D1 got */
async function transactionsOfSix(groupCommit: boolean): Promise<number> {
  const d1 = slowD1(5);
  const replicate = async (number: number) => {
    const { append, replicator, replicated } = openSession(d1, number, groupCommit);
    append();
    await replicator.waitUntilReplicated(1_000);
    expect(replicated()).toBe(1);
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(replicate));
  return d1.transactions;
}

it("writes the messages of several sessions in few transactions, or each in its own", async () => {
  expect(await transactionsOfSix(true)).toBe(3);
  expect(await transactionsOfSix(false)).toBe(6);
});

it("writes a prompt and its 64 replies in one transaction", async () => {
  const d1 = slowD1(5);
  const { append, replicator, replicated } = openSession(d1, 8, false);
  append(65);
  await replicator.waitUntilReplicated(1_000);
  expect([replicated(), d1.transactions]).toEqual([65, 1]);
});

it("lets an answer wait for D1 for twice its usual time, and not at all where that is long", async () => {
  vi.useFakeTimers();
  const d1 = slowD1(5);
  const { append, replicator, replicated } = openSession(d1, 7, false);
  const appendAndWait = async (ms: number) => {
    append();
    const waited = replicator.waitIfQuick();
    await vi.advanceTimersByTimeAsync(ms);
    await waited;
    return replicated();
  };
  expect(await appendAndWait(5)).toBe(1);
  d1.delayMs = 80;
  expect(await appendAndWait(10)).toBe(1);
  await vi.advanceTimersByTimeAsync(80);
  expect(replicated()).toBe(2);
  expect(await appendAndWait(0)).toBe(2);
  vi.useRealTimers();
});
