import { expect, it } from "vitest";
import type { Client } from "../../../src/core/client.ts";
import { RecordCache } from "../../../src/store/record-cache.ts";

const client = (name: string, metadata: string | null = null): Client => ({
  id: "1",
  name,
  email: null,
  externalId: null,
  metadata,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
});
const KEY = ["client", "1"] as const;

function aCache() {
  const time = { now: 1_000_000 };
  return { time, cache: new RecordCache(() => time.now) };
}

it("keeps a record for two seconds after its read began, and also that there is none", () => {
  const { time, cache } = aCache();
  cache.put(KEY, client("a"), time.now);
  cache.put(["endpoint", "1"], null, time.now);
  time.now += 1_999;
  expect(cache.get(KEY)?.name).toBe("a");
  expect(cache.get(["endpoint", "1"])).toBeNull();
  expect(cache.get(["client", "2"])).toBeUndefined();
  time.now += 1;
  expect(cache.get(KEY)).toBeUndefined();
});

it("asks one user of a record that is a second old to read it again", () => {
  const { time, cache } = aCache();
  cache.put(KEY, client("a"), time.now);
  time.now += 999;
  expect(cache.claimRefresh(KEY)).toBe(false);
  time.now += 1;
  expect([1, 2, 3].map(() => cache.claimRefresh(KEY))).toEqual([true, false, false]);
  // The read was lost with its request.
  time.now += 1_000;
  expect(cache.claimRefresh(KEY)).toBe(true);
});

it("forgets a record that was changed, and what was read before the change", () => {
  const { time, cache } = aCache();
  const readAt = time.now;
  cache.put(KEY, client("old"), readAt);
  time.now += 5;
  cache.forget(KEY);
  expect(cache.get(KEY)).toBeUndefined();
  for (const at of [readAt, readAt + 5]) cache.put(KEY, client("old"), at);
  expect(cache.get(KEY)).toBeUndefined();
  time.now += 5;
  cache.put(KEY, client("new"), time.now);
  cache.put(KEY, client("old"), readAt + 6);
  expect(cache.get(KEY)?.name).toBe("new");
});

it("knows for ten seconds that a record was changed", () => {
  const { time, cache } = aCache();
  expect(cache.wasChanged(KEY)).toBe(false);
  cache.forget(KEY);
  time.now += 9_999;
  cache.put(KEY, client("new"), time.now);
  expect(cache.wasChanged(KEY)).toBe(true);
  time.now += 1;
  expect(cache.wasChanged(KEY)).toBe(false);
});

it("holds no more than its limits: the records that were read first leave first", () => {
  const { time, cache } = aCache();
  const keys = Array.from({ length: 6_000 }, (_, number) => ["client", `${number}`] as const);
  for (const key of keys) cache.put(key, client("a"), time.now);
  expect(keys.filter((key) => cache.get(key) !== undefined)).toEqual(keys.slice(1_000));
  const long = "a".repeat(1_500_000);
  for (const key of keys.slice(0, 3)) cache.put(key, client("b", long), time.now);
  expect(keys.filter((key) => cache.get(key)?.name === "b")).toEqual(keys.slice(1, 3));
});
