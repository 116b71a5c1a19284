/** The pages at `/docs`: complete, with links that lead somewhere, and nothing from another host. */
import { globSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { apiDocument, apiRoutes } from "../../../src/api-docs.ts";
import { GUIDE_GROUPS } from "../../../src/docs/site/guides.ts";
import { contentOf } from "../../../src/docs/site/openapi.ts";
import type { ApiDocument } from "../../../src/docs/site/openapi.ts";
import { samplesOf } from "../../../src/docs/site/samples.ts";
import { fieldsOf, typeOf } from "../../../src/docs/site/schema-fields.ts";
import { documentationFiles } from "../../../src/docs/site/site.ts";

const BUILT = { script: "/static/docs.js", style: "/static/docs.css" };
const GUIDES = new URL("../../../src/docs/", import.meta.url).pathname;

let files: Record<string, string>;
beforeAll(async () => {
  const made = await documentationFiles(apiDocument as unknown as ApiDocument, BUILT);
  files = Object.fromEntries(Object.entries(made).map(([name, content]) => [name, String(content)]));
});

const pages = () => Object.entries(files).filter(([name]) => name.endsWith(".html"));
const anchorsOf = (page: string) => [...page.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id);
const linksOf = (page: string) => [...page.matchAll(/href="([^"]+)"/g)].map(([, href = ""]) => href);

it("lists every guide", () => {
  const guides = globSync("*.md", { cwd: GUIDES }).map((name) => name.replace(/\.md$/, ""));
  expect(Object.values(GUIDE_GROUPS).flat().toSorted()).toEqual(guides.toSorted());
});

it("has every operation in the reference", () => {
  const anchors = pages().flatMap(([, page]) => anchorsOf(page));
  expect(apiRoutes.map(({ operation }) => operation.id).filter((id) => !anchors.includes(id))).toEqual([]);
});

/** The text of a page, without the marks of colours. */
const textIn = (page: string) =>
  page
    .replaceAll(/<\/?span[^>]*>/g, "")
    .replaceAll("&quot;", '"')
    .replaceAll("&#x27;", "'")
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

it("shows how to open each stream, every event of it, and every frame of a socket", () => {
  const text = pages()
    .filter(([name]) => name.startsWith("docs/reference/"))
    .map(([, page]) => textIn(page))
    .join("\n");
  const { paths } = apiDocument as unknown as ApiDocument;
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const streams = operations
    .flatMap(({ responses }) => Object.values(responses))
    .flatMap((answer) => Object.values(contentOf(answer)));
  const events = streams
    .flatMap(({ examples = {} }) => Object.values(examples))
    .map(({ value }) => `data: ${JSON.stringify(value)}`);
  const frames = operations
    .flatMap((operation) => [
      ...(operation["x-examples-from-server"] ?? []),
      ...(operation["x-examples-from-client"] ?? []),
    ])
    .map((frame) => JSON.stringify(frame));
  const lines = operations.flatMap((operation) => operation["x-codeSamples"] ?? []).map(({ source }) => source);
  expect(Math.min(events.length, frames.length, lines.length)).toBeGreaterThan(3);
  expect([...lines, ...events, ...frames].filter((line) => !text.includes(line))).toEqual([]);
});

it("links to pages and anchors that are there", () => {
  const isThere = (href: string, from: string) => {
    const [path = "", anchor] = href.split("#");
    const target = path === "" ? from : `${path.slice(1)}.html`;
    const page = files[target];
    return page !== undefined && (anchor === undefined || anchorsOf(page).includes(anchor));
  };
  const broken = pages().flatMap(([name, page]) =>
    linksOf(page)
      .filter((href) => href.startsWith("#") || href.startsWith("/docs"))
      .filter((href) => !isThere(href, name))
      .map((href) => `${name}: ${href}`),
  );
  expect(broken).toEqual([]);
});

it("loads nothing from another host and has no script or style of its own in the page", () => {
  for (const [name, page] of pages()) {
    const loaded = [...page.matchAll(/<(?:script|img|link)[^>]+(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(
      loaded.filter((address) => !address?.startsWith("/")),
      name,
    ).toEqual([]);
    expect(page, name).not.toMatch(/<style|<script(?![^>]* src=)| style="| on\w+="/);
  }
});

it("has ids once in a page", () => {
  for (const [name, page] of pages()) {
    const ids = anchorsOf(page);
    expect(
      ids.filter((id, place) => ids.indexOf(id) !== place),
      name,
    ).toEqual([]);
  }
});

it("finds sections of guides and operations in the search index", () => {
  const entries = JSON.parse(files["docs/search.json"] ?? "[]") as { id: string; heading: string; text: string }[];
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  expect(entries.map(({ id }) => id)).toContain("/docs/streaming#follow-a-session");
  expect(entries.find(({ id }) => id === "/docs/reference/sessions#chat")?.heading).toMatch(/^Send a message/);
});

it("shows marks in descriptions as text", async () => {
  const hostile = structuredClone(apiDocument) as unknown as ApiDocument;
  const chat = hostile.paths["/sessions/chat"]?.["post"];
  if (chat) chat.description = "<img src=x onerror=alert(1)> & `<code>`";
  const page = (await documentationFiles(hostile, BUILT))["docs/reference/sessions.html"];
  expect(page).toContain("&lt;img src=x onerror=alert(1)&gt; &amp; <code>&lt;code&gt;</code>");
});

describe("a schema in words", () => {
  it.each([
    [{ type: "string", minLength: 1, maxLength: 1000 }, "string, 1 to 1,000 characters"],
    [{ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, "integer, at least 0"],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null"],
    [{ type: "array", items: { $ref: "#/components/schemas/Message" }, maxItems: 10 }, "Message[], at most 10 entries"],
    [{ enum: ["up", "down"] }, '"up" | "down"'],
  ])("%j is %s", (schema, text) => {
    expect(typeOf(schema)).toBe(text);
  });

  it("names fields within objects and arrays", () => {
    const schema = {
      type: "object",
      required: ["data"],
      properties: { data: { type: "array", items: { type: "object", properties: { id: { type: "string" } } } } },
    };
    expect(fieldsOf(schema).map(({ name, required }) => [name, required])).toEqual([
      ["data", true],
      ["data[].id", false],
    ]);
  });
});

it("writes a call in three languages", () => {
  const body = { text: 'it\'s "so"', none: null, yes: true, list: [1] };
  const [curl, ts, python] = samplesOf({ method: "PUT", path: "/things/{id}", query: [], body, streams: false });
  expect(curl?.code).toContain(`-X PUT "$PARLEY/things/<id>"`);
  expect(curl?.code).toContain(String.raw`-d '{"text":"it'\''s \"so\"","none":null,"yes":true,"list":[1]}'`);
  expect(ts?.code).toContain('"text": "it\'s \\"so\\""');
  expect(python?.code).toContain('"none": None');
  expect(python?.code).toContain('"yes": True');
});
