/** What `wrangler.toml` sets for a deployment, and that the guide to access names the same numbers. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url).pathname;
const config = readFileSync(`${root}wrangler.toml`, "utf8");
const guide = readFileSync(`${root}src/docs/access.md`, "utf8");

const limits = [...config.matchAll(/\[\[ratelimits\]\]\nname = "(\w+)"\nnamespace_id = "(\d+)"\nsimple = (.+)/g)].map(
  ([, name = "", id = "", simple = ""]) => ({ name, id, simple }),
);

describe("wrangler.toml", () => {
  it.each([
    ["ADDRESS_LIMIT", 3_000],
    ["CLIENT_LIMIT", 6_000],
    ["SERVICE_LIMIT", 60_000],
    ["SIGN_IN_LIMIT", 30],
  ])("sets %s to %i a minute, and the guide says so", (name, limit) => {
    expect(limits.find((one) => one.name === name)?.simple).toBe(`{ limit = ${limit}, period = 60 }`);
    const row = new RegExp(`^\\| \`${name}\` \\|.*\\| ${limit.toLocaleString("en")} \\|$`, "m");
    expect(guide).toMatch(row);
  });

  it("counts each limit by itself", () => {
    expect(limits).toHaveLength(4);
    expect(new Set(limits.map(({ id }) => id)).size).toBe(4);
  });

  it("gives the Worker one address, and uploaded versions none", () => {
    expect(config).toMatch(/^workers_dev = true$/m);
    expect(config).toMatch(/^preview_urls = false$/m);
  });

  it("logs nothing that follows the question mark of an address", () => {
    expect(config).toMatch(/^redact_query_string = true$/m);
  });

  it("lets turns end when a version is deployed, and bounds the CPU time of a call", () => {
    expect(config).toMatch(/^\[durable_objects\.code_update_strategy\]\nmode = "deferred"\nmax_delay = 600$/m);
    expect(config).toMatch(/^\[limits\]\ncpu_ms = 30_000$/m);
  });

  it("sends no call round the edge back into the zone, and learns when a caller leaves", () => {
    expect(config).toMatch(/^compatibility_flags = \["global_fetch_strictly_public", "enable_request_signal"\]$/m);
  });

  it("has the Worker sample calls, and the platform keep every line", () => {
    expect(config).toMatch(/^LOG_SAMPLING = "0\.05"$/m);
    expect(config.match(/^head_sampling_rate = .*$/gm)).toEqual(["head_sampling_rate = 1"]);
    expect(config).toMatch(/^invocation_logs = false$/m);
  });

  it("contains nothing of a local start", () => {
    expect(config).not.toMatch(/^\s*(LOCAL|ADMIN_KEY|ENCRYPTION_KEY|RATE_LIMITS|ALLOW_PRIVATE_ENDPOINTS)\s*=/m);
  });
});
