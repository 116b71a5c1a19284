/**
 * Files open with what they are for, and use the words of the field. See the guide on naming.
 *
 * Both rules hold for the rooms in `DONE`. Add a room there once its last file is rewritten.
 */
import { describe, expect, it } from "vitest";
import { isIn, readFiles } from "./source-files.ts";

const DONE = [
  "src/app.ts",
  "src/auth",
  "src/client",
  "src/console",
  "src/widget",
  "src/core",
  "src/crypto",
  "src/dev",
  "src/docs/site",
  "src/index.ts",
  "src/jobs",
  "src/live",
  "src/net",
  "src/providers",
  "src/routes",
  "src/runs",
  "src/store",
  "src/turn",
  "test/bench",
  "test/node",
  "test/support",
  "test/unit",
  "test/worker",
];

/** A file of fewer lines explains itself. So does a test, by its titles. */
const SHORT = 25;

/** Words that this project once used in senses of its own. */
const PRIVATE =
  /\b(?:told|tells?|heard|hears?|said|unlucky|whereabouts|inhabitants|surroundings|residence|obey|theatre|acts|stage)\b/gi;

/** Files that need such a word in its common sense. */
const ALLOWED: Record<string, string[]> = {
  // A sentence of a customer.
  "test/bench/parley.ts": ["tell"],
  // What Eliza answers.
  "src/providers/adapters/eliza-script.ts": ["hear", "said", "tell"],
  "test/unit/providers/eliza.test.ts": ["hear", "tell"],
};

const done = readFiles("src/**/*.{ts,tsx}", "test/**/*.ts").filter(
  ({ path }) => DONE.some((room) => isIn(path, room)) && !path.endsWith("house/comments.test.ts"),
);

describe.each(DONE)("in %s", (room) => {
  const files = done.filter(({ path }) => isIn(path, room));

  it("every file of some length opens with a comment on what it is for", () => {
    const long = files.filter(
      ({ path, text }) => text.trimEnd().split("\n").length > SHORT && !path.endsWith(".test.ts"),
    );
    expect(long.filter(({ text }) => !text.startsWith("/**")).map(({ path }) => path)).toEqual([]);
  });

  it("nothing is named by a private word", () => {
    const found = files.flatMap(({ path, text }) =>
      [...text.matchAll(PRIVATE)]
        .map(([word]) => word.toLowerCase())
        .filter((word) => !ALLOWED[path]?.includes(word))
        .map((word) => `${path}: ${word}`),
    );
    expect(found).toEqual([]);
  });
});
