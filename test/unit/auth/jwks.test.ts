import { afterEach, expect, it, vi } from "vitest";
import { keySetOf } from "../../../src/auth/jwks.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("reads the key set once for several requests", async () => {
  const keySet = keySetOf("https://identity.example/shared");
  const readJson = vi.fn(async () => ({ keys: [] }));
  await Promise.all([1, 2, 3].map((at) => keySet.keys(readJson, at, false)));
  expect(readJson).toHaveBeenCalledTimes(1);
});

it("reads the key set for a request whose predecessor was cancelled while it read", async () => {
  vi.useFakeTimers();
  const keySet = keySetOf("https://identity.example/cancelled");
  void keySet.keys(() => new Promise<never>(() => {}), 1, false);
  const keys = keySet.keys(async () => ({ keys: [] }), 2, false);
  await vi.advanceTimersByTimeAsync(11_000);
  await expect(keys).resolves.toBeTypeOf("function");
});
