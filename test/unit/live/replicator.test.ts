/** Replication of the logs of several sessions to D1, in shared transactions or alone. */
import { expect, it, vi } from "vitest";
import { Log } from "../../../src/live/log/log.ts";
import { aChatSession, memoryStorage } from "../../support/session-world.ts";

vi.stubGlobal("Cloudflare", { compatibilityFlags: { handle_cross_request_promise_resolution: true } });
const { Replicator } = await import("../../../src/live/replication/replicator.ts");

/** A D1 that counts its transactions. */
function countingD1() {
  const d1 = { transactions: 0 };
  const statement = { bind: () => statement };
  const batch = async (statements: unknown[]) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    d1.transactions += 1;
    return statements.map(() => ({ results: [], success: true, meta: {} }));
  };
  return Object.assign(d1, { binding: { prepare: () => statement, batch } as unknown as D1Database });
}

/** Appends a message in each of six sessions at the same time. @returns the transactions that D1 got */
async function transactionsOfSix(groupCommit: boolean): Promise<number> {
  const d1 = countingD1();
  const replicate = async (number: number) => {
    const storage = Object.assign(memoryStorage(), { setAlarm: async () => undefined, sync: async () => undefined });
    const log = new Log(storage);
    log.beginLoad();
    log.finishLoad(aChatSession({ id: `session-${number}` }), 0, {
      of: "chat",
      chat: { chatbot: null, endpoint: null, client: null },
    });
    log.append(
      [{ role: "user", content: "Hi", createdAt: 1, chatId: null, turnId: null, turnNumber: null, reply: null }],
      1,
    );
    const ports = {
      d1: d1.binding,
      storage,
      groupCommit,
      nextAlarm: () => Infinity,
      onReplicated: async () => undefined,
    };
    const replicator = new Replicator(log, ports);
    replicator.start();
    await replicator.waitUntilReplicated(1_000);
    expect(log.loadedState.replicated.lastSeq).toBe(1);
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(replicate));
  return d1.transactions;
}

it("writes the messages of several sessions in few transactions, or each in its own", async () => {
  expect(await transactionsOfSix(true)).toBe(3);
  expect(await transactionsOfSix(false)).toBe(6);
});
