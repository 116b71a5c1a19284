/** What `wrangler.toml` sets for a deployment, as wrangler reads it, and that the guide to access names the same numbers. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { app } from "../../../src/app.ts";

const root = new URL("../../../", import.meta.url).pathname;
const config = readConfig({ config: `${root}wrangler.toml` });
const guide = readFileSync(`${root}src/docs/access.md`, "utf8");

/** The paths that go to the Worker without a look at the static assets. */
const workerFirst = config.assets?.run_worker_first as string[];
const covers = (pattern: string, path: string) =>
  pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
const apiPaths = app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path.replace(/(?<=.)\/$/, ""));

interface RateLimit {
  name: string;
  namespace_id: string;
  simple: { limit: number; period: number };
}
const limits: RateLimit[] = config.ratelimits;

describe("wrangler.toml", () => {
  it.each([
    ["ADDRESS_LIMIT", 3_000],
    ["CLIENT_LIMIT", 6_000],
    ["SERVICE_LIMIT", 60_000],
    ["SIGN_IN_LIMIT", 30],
  ])("sets %s to %i a minute, and the guide says so", (name, limit) => {
    expect(limits.find((one) => one.name === name)?.simple).toEqual({ limit, period: 60 });
    const row = new RegExp(`^\\| \`${name}\` \\|.*\\| ${limit.toLocaleString("en")} \\|$`, "m");
    expect(guide).toMatch(row);
  });

  it("counts each limit by itself", () => {
    expect(limits).toHaveLength(4);
    expect(new Set(limits.map(({ namespace_id: id }) => id)).size).toBe(4);
  });

  it("sends every path of the API to the Worker, without a look at the static assets", () => {
    expect(apiPaths.filter((path) => !workerFirst.some((pattern) => covers(pattern, path)))).toEqual([]);
  });

  it("looks up every other path among the assets", () => {
    const unused = workerFirst.filter((pattern) => !apiPaths.some((path) => covers(pattern, path)));
    expect(unused).toEqual([]);
    expect(workerFirst.filter((pattern) => pattern === "/*")).toEqual([]);
  });

  it("gives the Worker one address, and uploaded versions none", () => {
    expect([config.workers_dev, config.preview_urls]).toEqual([true, false]);
  });

  it("logs nothing that follows the question mark of an address, and no headers", () => {
    expect(config.observability).toMatchObject({ redact_query_string: true, logs: { invocation_logs: false } });
  });

  it("lets turns end when a version is deployed, and bounds the CPU time of a call", () => {
    expect(config.durable_objects).toMatchObject({ code_update_strategy: { mode: "deferred", max_delay: 600 } });
    expect(config.limits).toEqual({ cpu_ms: 30_000 });
  });

  it("sends no call round the edge back into the zone, and learns when a caller leaves", () => {
    expect(config.compatibility_flags).toEqual(["global_fetch_strictly_public", "enable_request_signal"]);
  });

  it("has the Worker sample calls, and the platform keep every line", () => {
    expect(config.vars["LOG_SAMPLING"]).toBe("0.05");
    expect(config.observability).toMatchObject({ enabled: true, head_sampling_rate: 1 });
    expect(config.observability?.logs).not.toHaveProperty("head_sampling_rate");
  });

  it("sets nothing of a local start, and lets nobody in without a token", () => {
    expect(Object.keys(config.vars).toSorted()).toEqual(["LOG_SAMPLING", "TIME_ZONE"]);
  });
});
