/** What a local start does otherwise than a deployment, and `GET /`. */
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { LOCAL_PROXY_HEADER, LOCAL_SECRETS } from "../../../src/core/local-start.ts";
import { NEWEST_MIGRATION } from "../../../src/store/migrations.ts";
import { ADMIN_KEY, get } from "../../support/api.ts";
import { setVariables } from "../../support/settings.ts";

describe("GET /", () => {
  it("leads a browser to the console, without a token", async () => {
    const headers = { accept: "text/html,*/*;q=0.8" };
    const { status, headers: answered } = await exports.default.fetch("http://parley.test/", {
      headers,
      redirect: "manual",
    });
    expect([status, answered.get("location")]).toEqual([302, "/console"]);
  });

  it("names the addresses to other callers", async () => {
    const { status, body, headers } = await get("/", { token: null });
    expect([status, body.docs, body.openapi, headers.get("vary")]).toEqual([
      200,
      "/docs",
      "/openapi.json",
      expect.stringContaining("Accept"),
    ]);
  });
});

describe("the name of the host", () => {
  it("must be loopback or allowed, on a local start", async () => {
    setVariables({ LOCAL: "true", ALLOWED_HOSTS: "other.example" });
    const refused = await get("/chatbots");
    expect([refused.status, refused.body.error.code]).toEqual([403, "host_refused"]);
    expect((await get("/v1/llm_endpoints")).status).toBe(403);
    setVariables({ ALLOWED_HOSTS: "other.example, parley.test" });
    expect((await get("/chatbots")).status).toBe(200);
    setVariables({ ALLOWED_HOSTS: "*" });
    expect((await get("/chatbots")).status).toBe(200);
  });

  it("must be so for the page that calls, too", async () => {
    setVariables({
      LOCAL: "true",
      ALLOWED_HOSTS: "parley.test, other.example",
      ALLOWED_ORIGINS: "https://app.example",
    });
    const codeFor = async (origin: string) => {
      const { status, body } = await get("/chatbots", { headers: { origin } });
      return status === 200 ? 200 : [status, body.error.code];
    };
    for (const origin of [
      "http://localhost:3000",
      "http://127.0.0.1:8787",
      "http://other.example",
      "https://app.example",
    ])
      expect([origin, await codeFor(origin)]).toEqual([origin, 200]);
    for (const origin of [
      "http://localhost.evil.example",
      "http://127.0.0.1.evil.example",
      "http://rebound.example:8787",
      "https://app.example.evil.example",
      "null",
      "evil",
    ])
      expect([origin, await codeFor(origin)]).toEqual([origin, [403, "origin_refused"]]);
    for (const hosts of [undefined, "", "parley.test, ,", "*"]) {
      setVariables({ ALLOWED_HOSTS: hosts === undefined ? "parley.test" : `parley.test,${hosts}` });
      expect([hosts, await codeFor("file://")]).toEqual([hosts, [403, "origin_refused"]]);
    }
    setVariables({ LOCAL: "" });
    expect(await codeFor("http://rebound.example:8787")).toBe(200);
  });

  it("must be so for a page that sends no Origin, while the key is the public one", async () => {
    setVariables({ LOCAL: "true", ALLOWED_HOSTS: "parley.test", ADMIN_KEY: LOCAL_SECRETS.ADMIN_KEY });
    const codeFor = async (headers: Record<string, string>) => {
      const { status, body } = await get("/chatbots", { token: LOCAL_SECRETS.ADMIN_KEY, headers });
      return status === 200 ? 200 : [status, body.error.code];
    };
    const rebound = [403, "origin_refused"];
    expect(await codeFor({ "accept-language": "en-US,en;q=0.9" })).toEqual(rebound);
    expect(await codeFor({ "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" })).toEqual(rebound);
    expect(await codeFor({ "accept-language": "en-US", "sec-fetch-mode": "cors" })).toBe(200);
    expect(await codeFor({})).toBe(200);
    expect(await codeFor({ "accept-language": "*", "user-agent": "Deno/2.5.0" })).toBe(200);
    expect(await codeFor({ "accept-language": "*", "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" })).toEqual(rebound);
    const { body } = await get("/chatbots", { headers: { "accept-language": "de" } });
    expect(body.message).toContain("set an ADMIN_KEY of your own in .dev.vars");
    setVariables({ ADMIN_KEY });
    expect((await get("/chatbots", { headers: { "accept-language": "en-US" } })).status).toBe(200);
  });

  it("is known to be right only behind the proxy of npm start, if there is one", async () => {
    setVariables({
      LOCAL: "true",
      LOCAL_PROXY_SECRET: "secret",
      ALLOWED_HOSTS: "parley.test",
      ADMIN_KEY: "parley-dev",
    });
    const statusFor = async (headers: Record<string, string>) =>
      (await get("/chatbots", { token: "parley-dev", headers })).status;
    expect(await statusFor({})).toBe(403);
    expect(await statusFor({ [LOCAL_PROXY_HEADER]: "guess" })).toBe(403);
    expect(await statusFor({ [LOCAL_PROXY_HEADER]: "secret" })).toBe(200);
    // No page of another name comes through it, so a browser without an Origin is one of this machine.
    expect(await statusFor({ [LOCAL_PROXY_HEADER]: "secret", "accept-language": "en-US" })).toBe(200);
    setVariables({ ALLOWED_HOSTS: "" });
    expect(await statusFor({ [LOCAL_PROXY_HEADER]: "secret" })).toBe(403);
  });

  it("can be any in a deployment", async () => {
    setVariables({ LOCAL: "", ALLOWED_HOSTS: "" });
    expect((await get("/chatbots")).status).toBe(200);
  });
});

describe("content-encoding of /v1", () => {
  it("is named on a local start only", async () => {
    expect((await get("/v1/llm_endpoints")).headers.get("content-encoding")).toBeNull();
    setVariables({ LOCAL: "true" });
    expect((await get("/v1/llm_endpoints")).headers.get("content-encoding")).toBe("identity");
    expect((await get("/v1/no-such-route")).headers.get("content-encoding")).toBe("identity");
    expect((await get("/chatbots")).headers.get("content-encoding")).toBeNull();
  });
});

describe("GET /healthz", () => {
  it("names the newest migration of code and database", async () => {
    const { body } = await get("/healthz?deep=1");
    expect(body.migrations).toEqual({ expected: NEWEST_MIGRATION, applied: NEWEST_MIGRATION });
  });

  it("is not ready on a local start until the database is prepared", async () => {
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = ?").bind(NEWEST_MIGRATION).run();
    expect((await get("/healthz", { token: null })).status).toBe(200);
    const deep = await get("/healthz?deep=1");
    expect(deep.body.status).toBe("degraded");
    expect(deep.body.problems).toContainEqual(expect.stringContaining(NEWEST_MIGRATION));
    setVariables({ LOCAL: "true" });
    const { status, body, headers } = await get("/healthz", { token: null });
    expect([status, body.error.code, headers.get("retry-after")]).toEqual([503, "starting", "1"]);
    await env.DB.prepare("DROP TABLE d1_migrations").run();
    expect((await get("/healthz", { token: null })).status).toBe(503);
  });

  it("shows a database without tables, and does not take it for one that does not answer", async () => {
    await env.DB.prepare("ALTER TABLE endpoints RENAME TO endpoints_before").run();
    const deep = await get("/healthz?deep=1");
    expect(deep.body).toMatchObject({
      status: "degraded",
      database: { reachable: true },
      migrations: { expected: NEWEST_MIGRATION, applied: null },
      problems: expect.arrayContaining([expect.stringMatching(/lacks tables.*npm run deploy/)]),
    });
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { status, body } = await get("/v1/llm_endpoints");
    expect([status, body.detail]).toEqual([503, expect.stringMatching(/lacks tables/)]);
    await env.DB.prepare("ALTER TABLE endpoints_before RENAME TO endpoints").run();
  });

  it.each(["true", "yes", "2", ""])("refuses deep=%s, which would answer as if all were well", async (value) => {
    const { status, body } = await get(`/healthz?deep=${value}`, { token: null });
    expect([status, body.message]).toEqual([400, expect.stringMatching(/deep/)]);
  });
});
