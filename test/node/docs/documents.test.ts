/**
 * The README and the guides: every command, path and route that they name exists, and everything that a user meets is in them.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { CONNECTOR_TYPES } from "../../../src/core/endpoint.ts";
import { REPLY_ERROR_CODES } from "../../../src/core/failure.ts";
import { StreamEvent } from "../../../src/live/streaming/event-schemas.ts";

const root = new URL("../../../", import.meta.url).pathname;
const documents = ["README.md", ".github/*.md", "src/docs/**/*.md"].flatMap((pattern) =>
  globSync(pattern, { cwd: root }),
);
const textOf = (file: string) => readFileSync(root + file, "utf8");
const readme = textOf("README.md");
const text = documents.map(textOf).join("\n");
const scripts = Object.keys((JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: object }).scripts);
const named = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))];

const routes = [
  ...new Set(
    app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/(?<=.)\/$/, "")}`),
  ),
];

describe("names in the README and the guides exist", () => {
  it.each(named(/npm run ([\w:]+)/g))("npm run %s", (script) => {
    expect(scripts).toContain(script);
  });

  it.each(named(/`((?:src|test|migrations)\/[\w./-]+)`/g))("%s", (path) => {
    expect(existsSync(root + path)).toBe(true);
  });

  it.each(named(/\b((?:GET|POST|PUT|DELETE) \/[\w/:.-]*)/g))("%s", (route) => {
    expect(routes).toContain(route);
  });

  it.each(named(/\$PARLEY([\w/<>-]+)/g))("%s in an example", (path) => {
    const pattern = (route: string) => new RegExp(`^${(route.split(" ")[1] ?? "").replace(/:\w+/g, "[^/]+")}$`);
    expect(routes.some((route) => pattern(route).test(path))).toBe(true);
  });
});

/** The anchors that GitHub gives a document's headings. */
const anchorsIn = (file: string): string[] =>
  [...withoutCode(textOf(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, "");

/** Links within the project, by the document that has them. */
const links = documents.flatMap((file) =>
  [...withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)]
    .map((match) => match[1] ?? match[2] ?? "")
    .filter((target) => !/^(https?|mailto):/.test(target))
    .map((target) => ({ file, target })),
);

describe("links in the README and the guides lead somewhere", () => {
  it("are found", () => {
    expect(links.length).toBeGreaterThan(20);
  });

  it.each(links)("$file: $target", ({ file, target }) => {
    const [path = "", anchor] = target.split("#");
    const linked = path === "" ? file : posix.join(posix.dirname(file), path);
    expect(existsSync(root + linked)).toBe(true);
    if (anchor !== undefined) expect(anchorsIn(linked)).toContain(anchor);
  });
});

const GUIDES_TO_THE_CODE = ["src/docs/architecture.md", "src/docs/naming.md", ".github/CONTRIBUTING.md"];
const code = globSync("src/**/*.{ts,tsx}", { cwd: root }).map(textOf).join("\n");
const words = new Set(code.match(/[\w$]+/g));

/** Names of code: a single word in backticks with a capital letter inside, or with parentheses behind it. */
const symbols = GUIDES_TO_THE_CODE.flatMap((file) =>
  [
    ...withoutCode(textOf(file)).matchAll(/`(?:\w+\.)?([a-z]\w*[A-Z]\w*|[A-Z][a-z]\w*[A-Z]\w*|\w+(?=\(\)))(?:\(\))?`/g),
  ].map(([, symbol = ""]) => ({ file, symbol })),
);

describe("symbols that a guide to the code names exist in src", () => {
  it("are found", () => {
    expect(symbols.length).toBeGreaterThan(20);
  });

  it.each(symbols)("$file: $symbol", ({ symbol }) => {
    expect(words).toContain(symbol);
  });
});

describe("what a user meets is in the README or a guide", () => {
  it.each(routes)("%s", (route) => {
    expect(text).toContain(`\`${route}\``);
  });

  it.each(scripts.filter((script) => !["start", "test", "lint", "types", "format:check"].includes(script)))(
    "npm run %s",
    (script) => {
      expect(text).toContain(`npm run ${script}`);
    },
  );
});

/** What the code has a list of, and the guide that explains each. */
const EXPLAINED: [string, readonly string[]][] = [
  ["src/docs/connectors.md", CONNECTOR_TYPES],
  ["src/docs/streaming.md", StreamEvent.options.map(({ shape }) => shape.type.value)],
  ["src/docs/connectors.md", REPLY_ERROR_CODES],
];

describe.each(EXPLAINED)("%s explains", (file, names) => {
  it.each(names)("%s", (name) => {
    expect(textOf(file)).toContain(`\`${name}\``);
  });
});

it("shows npm start before npm test", () => {
  expect(readme.indexOf("npm install && npm start")).toBeGreaterThan(0);
  expect(readme.indexOf("npm install && npm start")).toBeLessThan(readme.indexOf("npm install && npm test"));
});

it("has a README that fits on a few screens", () => {
  const lines = readme.trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(150);
  expect(lines.filter((line) => line.length > 160)).toEqual([]);
});
