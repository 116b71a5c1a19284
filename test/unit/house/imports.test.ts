/**
 * Who may import whom, as the guide to the architecture draws it, type imports included.
 *
 * The linter holds most of these arrows while one edits. This test sees all of them at once, and circles of types too.
 */
import { describe, expect, it } from "vitest";
import { importsOf, isIn, readFiles, valueImportsOf } from "./source-files.ts";

/** The two ways into `live`. */
const LIVE_DOORS = ["live/session-client.ts", "live/read-session.ts"];
/** What goes over a stream, both ways. */
const STREAM_SCHEMAS = [
  "live/streaming/events.ts",
  "live/streaming/event-schemas.ts",
  "live/streaming/client-frames.ts",
];
const DIALECT = [
  ...LIVE_DOORS,
  "routes/http",
  "routes/openapi",
  "store",
  "auth",
  "turn",
  "providers/registry.ts",
  "net",
  "crypto",
];

/** One line per room: the rooms and files that it may import beside its own and `core`. The most exact line counts. */
const ARROWS: Record<string, string[]> = {
  "index.ts": ["app.ts", "jobs", "live", "providers", "runs", "store", "routes/http"],
  "app.ts": ["routes"],
  "api-docs.ts": ["app.ts", "routes"],
  routes: ["routes/http", "routes/openapi", "store", "providers/call/check-tokens.ts"],
  "routes/http": [...LIVE_DOORS, "routes/openapi/inputs.ts", "store", "auth", "net", "crypto"],
  "routes/openapi": ["routes/http", ...STREAM_SCHEMAS],
  "routes/session-api": [...DIALECT, "live/close-revoked-subscriptions.ts"],
  "routes/moonshot": [...DIALECT, "routes/moonshot-shared", "providers/call/call-endpoint.ts", "runs/run-client.ts"],
  "routes/moonshot-07": [...DIALECT, "routes/moonshot-shared"],
  "routes/moonshot-shared": DIALECT,
  "routes/openai": [...DIALECT, "providers/call/call-endpoint.ts"],
  "routes/ai-sdk": DIALECT,
  jobs: [...LIVE_DOORS, "store", "net"],
  runs: [...LIVE_DOORS, "store"],
  live: ["turn", "providers", "store"],
  "live/turns": [
    "live/session-world.ts",
    "live/session-loader.ts",
    "live/streaming",
    "live/replication",
    "live/log",
    "turn",
    "providers",
    "store",
  ],
  "live/streaming": ["live/log", "store"],
  "live/replication": ["live/log", "store"],
  "live/log": ["store"],
  turn: [],
  providers: ["net", "crypto"],
  "providers/adapters": ["providers/call", "net", "crypto"],
  "providers/call": ["providers/registry.ts", "providers/limits", "net", "crypto"],
  "providers/limits": ["providers/call", "net", "crypto"],
  store: [],
  auth: ["net", "crypto"],
  net: [],
  crypto: [],
  core: [],
  console: ["client", ...STREAM_SCHEMAS],
  widget: ["client"],
  client: [...STREAM_SCHEMAS, "routes/http", "routes/session-api", "routes/moonshot", "routes/moonshot-shared"],
  "docs/site": STREAM_SCHEMAS,
  dev: ["api-docs.ts", "docs/site", "client", "store", ...STREAM_SCHEMAS],
};

/** The packages of the rooms that run without Workers. Other rooms may import any. */
const PACKAGES: Record<string, string[]> = {
  core: ["zod", "zod/mini", "zod/locales"],
  turn: ["@huggingface/jinja"],
  crypto: [],
};

const files = readFiles("src/**/*.{ts,tsx}").filter(({ path }) => !path.endsWith(".d.ts"));
const inSrc = (path: string) => path.replace(/^src\//, "");
const graph = new Map(files.map((file) => [inSrc(file.path), importsOf(file)]));

const roomOf = (path: string): string | undefined =>
  Object.keys(ARROWS)
    .filter((room) => isIn(path, room))
    .toSorted((a, b) => b.length - a.length)[0];

/** @returns all files that a file imports, directly or through others */
function reachedFrom(path: string): Set<string> {
  const reached = new Set<string>();
  const open = [path];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const imported of graph.get(next) ?? []) {
      const file = inSrc(imported);
      if (!reached.has(file)) open.push(file);
      reached.add(file);
    }
  }
  return reached;
}

/** @returns the groups of files that all reach each other, each as one line */
function circles(): string[] {
  const reached = new Map([...graph.keys()].map((path) => [path, reachedFrom(path)]));
  const groups = [...reached].map(([path, others]) =>
    [...others].filter((other) => reached.get(other)?.has(path)).toSorted(),
  );
  return [...new Set(groups.filter((group) => group.length > 0).map((group) => group.join(" <-> ")))];
}

it("finds the imports of the files in src", () => {
  expect(graph.get("app.ts")).toContain("src/routes/health.ts");
  expect(graph.get("client/schemas.ts")).toContain("src/live/streaming/event-schemas.ts");
});

it("has no circle of imports, type imports included", () => {
  expect(circles()).toEqual([]);
});

it("has a line in the table for every file", () => {
  expect([...graph.keys()].filter((path) => roomOf(path) === undefined)).toEqual([]);
});

describe("each room imports only what the table allows", () => {
  it.each(Object.entries(ARROWS))("%s", (room, allowed) => {
    const own = [room, "core", ...allowed];
    const forbidden = [...graph]
      .filter(([path]) => roomOf(path) === room)
      .flatMap(([path, imports]) => imports.map((imported) => [path, imported] as const))
      .filter(([, imported]) => imported.startsWith("src/"))
      .filter(([, imported]) => !own.some((place) => isIn(inSrc(imported), place)))
      .map(([path, imported]) => `${path} -> ${inSrc(imported)}`);
    expect(forbidden).toEqual([]);
  });
});

describe("a room without I/O imports only its own packages", () => {
  it.each(Object.entries(PACKAGES))("%s", (room, allowed) => {
    const packages = [...graph]
      .filter(([path]) => isIn(path, room))
      .flatMap(([, imports]) => imports)
      .filter((imported) => !imported.startsWith("src/"));
    expect(packages.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});

it("has nothing in the Worker that only the OpenAPI document needs", () => {
  const values = new Map(files.map((file) => [inSrc(file.path), valueImportsOf(file).map(inSrc)]));
  const inWorker = new Set(["index.ts"]);
  for (const path of inWorker) for (const imported of values.get(path) ?? []) inWorker.add(imported);
  expect(inWorker).toContain("routes/session-api/sessions/schemas.ts");
  // `zod/mini` validates. The whole of zod is three times as large.
  const forDocument = /(^|[/-])docs\.ts$|examples\.ts$|response-|envelope-schemas|event-schemas|^zod$/;
  expect([...inWorker].filter((path) => forDocument.test(path))).toEqual([]);
});

it("knows no dialect in routes/http and in live", () => {
  const dialects = /session-api|moonshot|ai-sdk|routes\/openai\//;
  const named = files
    .filter(({ path }) => isIn(path, "src/routes/http") || isIn(path, "src/live"))
    .filter((file) => importsOf(file).some((imported) => dialects.test(imported)));
  expect(named.map(({ path }) => path)).toEqual([]);
});

it("types what is validated: no cast to never", () => {
  expect(files.filter(({ text }) => /\bas never\b/.test(text)).map(({ path }) => path)).toEqual([]);
});
