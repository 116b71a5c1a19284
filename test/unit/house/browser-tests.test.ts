/** What the linter cannot check in tests of pages: that they wait for what a page will show. */
import { expect, it } from "vitest";
import { readFiles } from "./source-files.ts";

/** A look at a page, taken once: a page that changes a moment later fails the test. */
const LOOK_ONCE =
  /expect\(+await (?:\w+\(\w*page\b|[^;]*\.(?:allInnerTexts|allTextContents|boundingBox|content|count|evaluate|getAttribute|innerText|inputValue|isVisible|textContent|title)(?:<\w+>)?\()[^;]*/g;

it("looks at a page until it shows what is expected", () => {
  const found = readFiles("test/browser/*.test.ts").flatMap(({ path, text }) =>
    [...text.matchAll(LOOK_ONCE)].map(([look]) => `${path}: ${look}`),
  );
  expect(found).toEqual([]);
});
