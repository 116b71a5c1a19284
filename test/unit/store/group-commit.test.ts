/** When writes share a transaction, and what happens when one fails or is lost. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { GroupCommit } from "../../../src/store/group-commit.ts";

afterEach(() => {
  vi.useRealTimers();
});

const LOST_MS = 10_000;

/** A database that writes when the test wants it. */
function makeDatabase() {
  const group = new GroupCommit<string>(2);
  const transactions: { items: string[]; done: () => void; fail: (error: Error) => void }[] = [];
  const write = (items: string[]) => new Promise<void>((done, fail) => transactions.push({ items, done, fail }));
  const commit = (item: string, { size = 1, durable = () => Promise.resolve() } = {}) =>
    group.commit({ items: [item], size, waitUntilDurable: durable, write });
  return { transactions, commit, items: () => transactions.map(({ items }) => items) };
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe("writes at the same time", () => {
  it("go alone while few are running, and then together", async () => {
    const { transactions, commit, items } = makeDatabase();
    const all = ["a", "b", "c", "d", "e"].map((item) => commit(item));
    await settle();
    expect(items()).toEqual([["a"], ["b"]]);
    transactions[0]?.done();
    await settle();
    expect(items()).toEqual([["a"], ["b"], ["c", "d", "e"]]);
    for (const { done } of transactions) done();
    await Promise.all(all);
    const later = commit("f");
    expect(items().at(-1)).toEqual(["f"]);
    transactions.at(-1)?.done();
    await later;
  });

  it("are each resolved when their own transaction is written, not before", async () => {
    const { transactions, commit } = makeDatabase();
    const written: string[] = [];
    for (const item of ["a", "b", "c", "d"]) void commit(item).then(() => written.push(item));
    await settle();
    transactions[1]?.done();
    await settle();
    expect(written).toEqual(["b"]);
    transactions[2]?.done();
    await settle();
    expect(written).toEqual(["b", "c", "d"]);
  });

  it("fail together with their transaction, and no other fails", async () => {
    const { transactions, commit } = makeDatabase();
    const all = Promise.allSettled(["a", "b", "c", "d"].map((item) => commit(item)));
    await settle();
    transactions[0]?.done();
    await settle();
    transactions[2]?.fail(new Error("refused"));
    await settle();
    const after = commit("e");
    transactions[3]?.done();
    transactions[1]?.done();
    await after;
    const reasons = (await all).map((one) => (one.status === "rejected" ? String(one.reason) : one.status));
    expect(reasons).toEqual(["fulfilled", "fulfilled", "Error: refused", "Error: refused"]);
  });

  it("are grouped up to the size of one transaction, but at least one", async () => {
    const { transactions, commit, items } = makeDatabase();
    const sizes = { a: 1, b: 1, large: 900_000, c: 200_000, d: 50_000, e: 1 };
    const all = Object.entries(sizes).map(([item, size]) => commit(item, { size }));
    for (let place = 0; place < 5; place++) {
      await settle();
      transactions[place]?.done();
    }
    await Promise.all(all);
    expect(items()).toEqual([["a"], ["b"], ["large"], ["c", "d"], ["e"]]);
  });

  it("are not sent in another's transaction before they are durable at their source", async () => {
    const { transactions, commit, items } = makeDatabase();
    const stored = Promise.withResolvers<void>();
    const all = [commit("a"), commit("b"), commit("slow", { durable: () => stored.promise }), commit("c")];
    await settle();
    transactions[0]?.done();
    await settle();
    expect(items()).toEqual([["a"], ["b"], ["c"]]);
    stored.resolve();
    for (const { done } of transactions) done();
    await settle();
    expect(items().at(-1)).toEqual(["slow"]);
    transactions.at(-1)?.done();
    await Promise.all(all);
    await expect(
      Promise.all([commit("d"), commit("e"), commit("f", { durable: () => Promise.reject(new Error("disk")) })]),
    ).rejects.toThrow("disk");
  });
});

describe("a transaction that is lost with its leader", () => {
  it("fails for the others in time, and blocks nobody after that", async () => {
    vi.useFakeTimers();
    const log = vi.spyOn(console, "error").mockReturnValue();
    const { transactions, commit, items } = makeDatabase();
    void commit("never");
    void commit("never either");
    const waiting = Promise.allSettled([commit("c"), commit("d")]);
    await vi.advanceTimersByTimeAsync(LOST_MS);
    expect((await waiting).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(log.mock.calls).toEqual([1, 2].map(() => [{ event: "group-commit-lost", items: 1 }]));
    log.mockRestore();
    const after = commit("e");
    expect(items()).toEqual([["never"], ["never either"], ["e"]]);
    transactions[2]?.done();
    await after;
    const more = [commit("f"), commit("g"), commit("h")];
    await settle();
    // Nothing is left of the ones that gave up.
    expect(items().slice(3)).toEqual([["f"], ["g"]]);
    transactions[3]?.done();
    await settle();
    expect(items().slice(5)).toEqual([["h"]]);
    for (const { done } of transactions) done();
    await Promise.all(more);
  });

  it("does not raise the number of parallel transactions when it ends after all", async () => {
    vi.useFakeTimers();
    const { transactions, commit, items } = makeDatabase();
    void commit("late");
    void commit("late too");
    await vi.advanceTimersByTimeAsync(LOST_MS);
    const all = ["c", "d", "e", "f"].map((item) => commit(item));
    await settle();
    for (const late of transactions.slice(0, 2)) late.done();
    await settle();
    expect(items().slice(2)).toEqual([["c"], ["d"]]);
    transactions[2]?.done();
    transactions[3]?.done();
    await settle();
    for (const { done } of transactions) done();
    await Promise.all(all);
  });
});
