/** How the console and what it loads are served by a started server, and that building again changes no file. */
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ParleyClient } from "../../../src/client/index.ts";
import { writeAssets } from "../../../src/dev/assets.ts";
import { startServer } from "../../../src/dev/server.ts";
import { readSettings } from "../../../src/dev/settings.ts";

const assets = new URL("../../../dist/assets/", import.meta.url).pathname;
const state = mkdtempSync(join(tmpdir(), "parley-"));
const stop = new AbortController();
let parley: ParleyClient;
let ended: Promise<number>;

beforeAll(async () => {
  const settings = readSettings(["--port", "0", "--inspector-port", "0", "--persist-to", state]);
  ({ parley, ended } = await startServer(settings, "hidden", stop.signal));
}, 240_000);

afterAll(async () => {
  stop.abort();
  await ended;
  rmSync(state, { recursive: true });
});

const get = (path: string, accept = "*/*") =>
  fetch(parley.connection.url + path, { headers: { accept }, redirect: "manual" });

/** What the page of the console loads at once. */
async function loadedByConsole(): Promise<string[]> {
  const html = await (await get("/console")).text();
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
}

it("leads a browser from / to the console, and a program to addresses", async () => {
  const led = await get("/", "text/html,*/*;q=0.8");
  expect([led.status, led.headers.get("location")]).toEqual([302, "/console"]);
  expect(await (await get("/")).json()).toMatchObject({ console: "/console", docs: "/docs" });
});

it("allows the console nothing but files of this host, and no inline code or style", async () => {
  const { headers, status } = await get("/console");
  expect(status).toBe(200);
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
  for (const part of ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "connect-src 'self'"])
    expect(policy.split("; ")).toContain(part);
  expect(policy).not.toMatch(/unsafe|https?:|data:|\*/);
  expect(Object.fromEntries(headers)).toMatchObject({
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
});

it("has no inline code or style in the page, and nothing from another host in any file", async () => {
  const html = await (await get("/console")).text();
  expect(html).not.toMatch(/<script(?![^>]* src="\/)|<style| style=|https?:/);
  expect(await loadedByConsole()).not.toEqual([]);
  for (const path of globSync("{console,static}/**/*.{html,css}", { cwd: assets }))
    expect(readFileSync(assets + path, "utf8")).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|url\(["']?(?!#)|@import/);
});

it("lets browsers keep files that have a hash in their name, and ask each time for the page", async () => {
  expect((await get("/console")).headers.get("cache-control")).toBe("no-cache");
  for (const path of await loadedByConsole()) {
    expect(path).toMatch(/^\/static\/[\w-]+-[\w-]{8}\.(js|css|svg)$/);
    const { status, headers } = await get(path);
    expect([status, headers.get("cache-control")]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
});

it("lets pages of other sites load the widget, which is small, and nothing else", async () => {
  const { status, headers } = await get("/widget.js");
  expect([status, headers.get("cross-origin-resource-policy")]).toEqual([200, "cross-origin"]);
  expect(headers.get("content-type")).toMatch(/^text\/javascript/);
  expect(headers.get("cache-control")).toBe("public, max-age=3600");
  const script = readFileSync(`${assets}widget.js`);
  expect(gzipSync(script).length).toBeLessThan(25_000);
  expect(script.toString()).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/);
});

it("answers calls of the API, and paths that are nothing, in the form of the API", async () => {
  for (const path of ["/sessions", "/v1/sessions", "/nowhere", "/static/nothing.js", "/console/nothing"]) {
    const answer = await get(path);
    expect([path, answer.headers.get("content-type")]).toEqual([path, "application/json"]);
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  }
});

it("writes no file again that is as it should be, so that wrangler dev does not start over", async () => {
  const times = () =>
    globSync("**/*.*", { cwd: assets }).map((path) => [path, statSync(assets + path).mtimeMs] as const);
  const before = times();
  await writeAssets();
  expect(times()).toEqual(before);
});
