import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keySetOf, KeySetUnavailable } from "../../../src/auth/jwks.ts";
import type { ReadJson } from "../../../src/auth/jwks.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;
const KEYS = { keys: [] };
const keepAlive = vi.fn<(work: Promise<void>) => void>();
const readerOf = (readJson: ReadJson) => ({ readJson, keepAlive });
const never = () => new Promise<never>(() => {});

let count = 0;
const aKeySet = () => keySetOf(`https://identity.example/${(count += 1)}`);

it("reads the key set once for several requests, and goes on when the first one has left", async () => {
  const keySet = aKeySet();
  const readJson = vi.fn(async () => KEYS);
  const all = Promise.all([1, 2, 3].map(() => keySet.keys(readerOf(readJson), Date.now(), false)));
  await vi.advanceTimersByTimeAsync(20);
  await all;
  expect(readJson).toHaveBeenCalledTimes(1);
  expect(keepAlive).toHaveBeenCalled();
});

it("reads the key set for a request whose predecessor was cancelled while it read", async () => {
  const keySet = aKeySet();
  void keySet.keys(readerOf(never), Date.now(), false);
  await vi.advanceTimersByTimeAsync(5_000);
  const keys = keySet.keys(
    readerOf(async () => KEYS),
    Date.now(),
    false,
  );
  await vi.advanceTimersByTimeAsync(1_500);
  await expect(keys).resolves.toBeTypeOf("function");
});

it("uses the keys that it has while it reads them again", async () => {
  const keySet = aKeySet();
  const first = await keySet.keys(
    readerOf(async () => KEYS),
    Date.now(),
    false,
  );
  const again = vi.fn(never);
  for (const minutes of [11, 12, 30]) {
    await vi.advanceTimersByTimeAsync(minutes * MINUTE);
    expect(await keySet.keys(readerOf(again), Date.now(), false)).toBe(first);
  }
  expect(again).toHaveBeenCalledTimes(3);
  await keySet.keys(
    readerOf(async () => KEYS),
    Date.now() + 2 * MINUTE,
    false,
  );
  await vi.advanceTimersByTimeAsync(1);
  expect(await keySet.keys(readerOf(again), Date.now(), false)).not.toBe(first);
});

it("asks a provider that is down once a second at most, and says so", async () => {
  const keySet = aKeySet();
  const down = vi.fn(() => Promise.reject(new Error("down")));
  vi.spyOn(console, "error").mockReturnValue();
  for (let n = 0; n < 20; n++) {
    await expect(keySet.keys(readerOf(down), Date.now(), false)).rejects.toThrow(KeySetUnavailable);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(down).toHaveBeenCalledTimes(2);
});
