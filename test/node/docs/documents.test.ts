/**
 * The README and the guides: every command, path and route that they name exists, and everything that a user meets is in them.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";

const root = new URL("../../../", import.meta.url).pathname;
const documents = ["README.md", ".github/*.md", "src/docs/**/*.md"].flatMap((pattern) =>
  globSync(pattern, { cwd: root }),
);
const [readme = "", ...guides] = documents.map((file) => readFileSync(root + file, "utf8"));
const text = [readme, ...guides].join("\n");
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

  it.each(named(/\b((?:GET|POST|PUT|DELETE) \/[\w/:.]*)/g))("%s", (route) => {
    expect(routes).toContain(route);
  });

  it.each(named(/\$PARLEY([\w/<>]+)/g))("%s in an example", (path) => {
    const pattern = (route: string) => new RegExp(`^${(route.split(" ")[1] ?? "").replace(/:\w+/g, "[^/]+")}$`);
    expect(routes.some((route) => pattern(route).test(path))).toBe(true);
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

it("shows npm start before npm test", () => {
  expect(readme.indexOf("npm install && npm start")).toBeGreaterThan(0);
  expect(readme.indexOf("npm install && npm start")).toBeLessThan(readme.indexOf("npm install && npm test"));
});
