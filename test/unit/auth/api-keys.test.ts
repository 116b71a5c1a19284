/** How long a found key is used without asking D1, and what happens while D1 does not answer. */
import { afterEach, expect, it, vi } from "vitest";
import { findKeyHolder, generateApiKey, evictCachedKeys } from "../../../src/auth/api-keys.ts";
import type { ApiKey } from "../../../src/core/api-key.ts";
import { TimeLimitExceeded } from "../../../src/core/time-limit.ts";

const START = 1_000_000_000;
const KEY: ApiKey = {
  id: "k",
  name: "k",
  role: "service",
  clientId: null,
  expiresAt: null,
  lastUsedAt: START,
  createdAt: 0,
};
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => undefined);

function aKey() {
  const token = generateApiKey();
  const background: Promise<unknown>[] = [];
  const store = {
    admit: vi.fn(async () => undefined),
    find: vi.fn(async (): Promise<ApiKey | null> => KEY),
    recordUse: vi.fn(),
    keepAlive: (work: Promise<unknown>) => void background.push(work),
  };
  /** @param seconds since the first call */
  const find = async (seconds: number) => {
    const found = await findKeyHolder(token, store, START + seconds * 1_000);
    return found?.id ?? null;
  };
  return { token, store, find, background };
}

it("is looked up once in 15 seconds, and then in the background until it is 30 seconds old", async () => {
  const { store, find, background } = aKey();
  for (const seconds of [0, 1, 14.9]) expect(await find(seconds)).toBe("k");
  expect(store.find).toHaveBeenCalledTimes(1);
  store.find.mockImplementation(never);
  expect(await find(15)).toBe("k");
  expect(await find(16)).toBe("k");
  expect(store.find).toHaveBeenCalledTimes(2);
  store.find.mockResolvedValue(null);
  expect(await find(29.9)).toBe("k");
  await Promise.all(background.slice(-2));
  expect(await find(29.95)).toBeNull();
});

it("is looked up before it counts once it is 30 seconds old", async () => {
  const { store, find } = aKey();
  await find(0);
  store.find.mockResolvedValue(null);
  expect(await find(30)).toBeNull();
  expect(store.admit).toHaveBeenCalledTimes(2);
});

it("counts for five minutes while D1 does not answer: one call in ten seconds waits for two", async () => {
  vi.useFakeTimers();
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const { store, find } = aKey();
  await find(0);
  store.find.mockImplementation(never);
  const waiting = find(40);
  await vi.waitFor(() => expect(store.find).toHaveBeenCalledTimes(2));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await waiting).toBe("k");
  expect(await find(42)).toBe("k");
  expect(await find(49.9)).toBe("k");
  store.find.mockRejectedValue(new Error("D1_ERROR: Network connection lost."));
  expect(await find(55)).toBe("k");
  expect(await find(299)).toBe("k");
  await expect(find(310)).rejects.toThrow("lost");
  expect(logged).toHaveBeenCalled();
});

it("that is not known waits for two seconds at most", async () => {
  vi.useFakeTimers();
  const { store, find } = aKey();
  store.find.mockImplementation(never);
  const waiting = expect(find(0)).rejects.toThrow(TimeLimitExceeded);
  await vi.waitFor(() => expect(store.find).toHaveBeenCalled());
  await vi.advanceTimersByTimeAsync(2_000);
  await waiting;
});

it.each([0, 20])("revoked during a lookup at %i seconds, is not known where it was revoked", async (seconds) => {
  const { store, find, background } = aKey();
  if (seconds > 0) await find(0);
  store.find.mockImplementation(async () => {
    evictCachedKeys(({ id }) => id === KEY.id, START + seconds * 1_000);
    return KEY;
  });
  await find(seconds);
  await Promise.all(background);
  store.find.mockResolvedValue(null);
  expect(await find(seconds + 1)).toBeNull();
});
