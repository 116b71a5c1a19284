/** How much the console loads before it can be used, and how smooth it stays with 64 columns. */
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

const CHATS = 64;
const TOKENS_PER_SECOND = 50;
const WORDS = 400;

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
  await server.parley.endpoints.create({
    name: "Fast",
    connector_type: "echo-connector",
    params: { tokens_per_second: TOKENS_PER_SECOND },
  });
}, 240_000);

afterAll(() => server.stop());

it("loads less than 120 KB, compressed, before the first prompt can be sent", async ({ page }) => {
  const sizes: Promise<[path: string, bytes: number]>[] = [];
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (!/^\/(console|static)/.test(pathname)) return;
    sizes.push(response.body().then((body) => [pathname, gzipSync(body).length]));
  });
  await page.goto(`${server.address}/console`);
  await page.getByRole("checkbox", { name: "Fast" }).waitFor();
  await page.waitForLoadState("networkidle");
  const loaded = await Promise.all(sizes);
  const total = loaded.reduce((sum, [, bytes]) => sum + bytes, 0);
  console.info(`First load: ${(total / 1024).toFixed(1)} KB gzip in ${loaded.length} files`);
  expect(loaded.length).toBeGreaterThan(2);
  expect(total).toBeLessThan(120 * 1024);
  expect(loaded.map(([path]) => path).filter((path) => /markdown|difference|statistics|receipt/.test(path))).toEqual(
    [],
  );
});

interface Smoothness {
  framesPerSecond: number;
  longestTask: number;
}

it("stays smooth while 64 columns stream at 50 tokens a second", async ({ page }) => {
  const { session_id: id } = await server.parley.comparisons.create({
    name: "Many",
    endpoints: Array<string>(CHATS).fill("fast"),
  });
  await page.goto(`${server.address}/console#/compare/${id}`);
  await page.getByRole("textbox", { name: "Prompt" }).fill("word ".repeat(WORDS));
  await page.getByRole("button", { name: "Send" }).click();
  await page
    .locator(".answer-writing")
    .nth(CHATS - 1)
    .waitFor({ state: "attached" });
  const { framesPerSecond, longestTask } = await measure(page);
  console.info(`64 columns: ${framesPerSecond.toFixed(1)} frames a second, longest task ${longestTask.toFixed(0)} ms`);
  await expect.poll(() => page.locator(".answer-writing").count()).toBe(CHATS);
  // The goal is 50 and 100 on a quiet machine. Other tests may run beside this one.
  expect(framesPerSecond).toBeGreaterThan(15);
  expect(longestTask).toBeLessThan(1_000);
  await page.getByText(`${CHATS} complete`).waitFor();
});

/** Counts frames, and finds the longest task, for 5 s. */
const measure = (page: Page): Promise<Smoothness> =>
  page.evaluate<Smoothness>(`new Promise((resolve) => {
    const duration = 5000, start = performance.now();
    let frames = 0, longestTask = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longestTask = Math.max(longestTask, entry.duration);
    }).observe({ type: "longtask" });
    requestAnimationFrame(function count(now) {
      frames += 1;
      if (now - start < duration) requestAnimationFrame(count);
      else resolve({ framesPerSecond: (frames * 1000) / (now - start), longestTask });
    });
  })`);
