/**
 * What the tests of the console in a browser share: pictures of its pages for people to look at, and what axe finds. Runs in
 * Node; writes pictures into `dist/screens`.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SCREENS = new URL("../../dist/screens/", import.meta.url).pathname;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

/** @returns every violation, whatever its impact: the rule, and where */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // As the debugger does it: the page's policy allows no script of others.
  const { violations } = await page.evaluate<AxeResults>(`${axe}; axe.run()`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary ?? ""}`),
  );
}
