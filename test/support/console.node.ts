/**
 * What the tests of the console in a browser share: pictures of its pages for people to look at, and what axe finds. Runs in
 * Node; writes pictures into `dist/screens`.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const SCREENS = new URL("../../dist/screens/", import.meta.url).pathname;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

/** @returns every violation, whatever its impact: the rule, and where */
async function accessibilityFaults(page: Page): Promise<string[]> {
  // As the debugger does it: the page's policy allows no script of others.
  const { violations } = await page.evaluate<AxeResults>(`${axe}; axe.run()`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary ?? ""}`),
  );
}

/** The windows and colours in which each page is looked at. */
export const LOOKS = [
  { name: "wide", width: 1440, height: 900, colorScheme: "light" },
  { name: "wide-dark", width: 1440, height: 900, colorScheme: "dark" },
  { name: "tablet", width: 820, height: 1100, colorScheme: "light" },
  { name: "phone", width: 390, height: 844, colorScheme: "light" },
  { name: "phone-dark", width: 390, height: 844, colorScheme: "dark" },
  // A window of 1,280 at 200 %.
  { name: "zoomed", width: 640, height: 400, colorScheme: "light" },
] as const;

/** What is as wide as the window, and must not scroll to the side. */
const WHOLE_WIDTH = "html, main, .drawer-body";

const WIDTHS = `[...document.querySelectorAll("${WHOLE_WIDTH}")].map((one) => one.scrollWidth - one.clientWidth)`;

/** Nothing sticks out at the side of the page or of its drawer, and axe finds nothing. */
export async function look(page: Page, name: string): Promise<void> {
  await screenshot(page, name);
  const overflow = await page.evaluate<number[]>(WIDTHS);
  expect([name, Math.max(...overflow)]).toEqual([name, 0]);
  expect([name, await accessibilityFaults(page)]).toEqual([name, []]);
}
