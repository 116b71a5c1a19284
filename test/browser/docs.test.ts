/** The pages at `/docs` in a browser: search, samples, trying a call, and how they look on a small screen and to a screen reader. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer({});
}, 240_000);

afterAll(() => server.stop());

const open = async (page: Page, path: string) => {
  const problems: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
  page.on("pageerror", (error) => void problems.push(String(error)));
  await page.goto(server.address + path);
  return problems;
};

it("finds a section by words, with the keyboard only", async ({ page }) => {
  const problems = await open(page, "/docs");
  await page.keyboard.press("/");
  await page.keyboard.type("follow session");
  await page.waitForSelector(".results a");
  await page.keyboard.press("ArrowDown");
  const heading = await page.locator(":focus").innerText();
  expect(heading.toLowerCase()).toContain("follow");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/docs\/.+#/);
  expect(problems).toEqual([]);
});

it("keeps the language of the samples on the next page", async ({ page }) => {
  await open(page, "/docs/reference/sessions");
  await page.locator("[role=tab]", { hasText: "Python" }).first().click();
  await page.goto(`${server.address}/docs/reference/chatbots`);
  const sample = page.locator("[role=tabpanel]:not([hidden])").first();
  await expect.poll(() => sample.innerText()).toContain("import httpx");
});

it("tries a call, streamed too, with the reader's token", async ({ page }) => {
  const problems = await open(page, "/docs/reference/service");
  const me = await open(page, "/docs/reference/keys");
  const section = page.locator("section", { has: page.locator("#getMe") });
  await section.locator(".try summary").click();
  await section.locator("button[type=submit]").click();
  const answer = section.locator(".try pre");
  await expect.poll(() => answer.innerText()).toContain('"role": "admin"');
  expect([...problems, ...me]).toEqual([]);
});

const PAGES = ["/docs", "/docs/streaming", "/docs/storage", "/docs/reference/sessions", "/docs/decisions"];

it.for(PAGES)("fits a screen of 390 px: %s", async (path, { page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, path);
  await expect.poll(() => page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
});

it.for(PAGES.flatMap((path) => [[path, "light"] as const, [path, "dark"] as const]))(
  "has nothing that axe objects to: %s in %s",
  async ([path, colorScheme], { page }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, path);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<AxeResults>("axe.run()");
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
  },
);
