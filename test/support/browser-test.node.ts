/** The `it` of tests in a browser: each gets a page of its own, with cookies and storage of its own. Errors on the page fail the test. */
import { chromium } from "playwright-core";
import { expect, inject, it as plainIt } from "vitest";

/** How long a page may take for anything: a busy machine is slow. */
const TIMEOUT_MS = 60_000;

export const it = plainIt.extend("page", async ({ skip }, { onCleanup }) => {
  const endpoint = inject("browser");
  if (endpoint === "") return skip("no browser started");
  const browser = await chromium.connect(endpoint);
  const page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  onCleanup(async () => {
    await browser.close();
    expect(errors, "errors on the page").toEqual([]);
  });
  return page;
});
