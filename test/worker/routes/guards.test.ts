/** CORS, headers, the audit log, and a Worker with missing settings. */
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ADMIN_KEY, call, del, get, post, put } from "../../support/api.ts";
import { followEvents, upgrade } from "../../support/follow.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createSession,
  createEndpoint,
  unique,
} from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";
import { LOCAL_SECRETS } from "../../../src/core/local-start.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const APP = "https://app.example";
const createAdmin = () => {
  setVariables({ ADMIN_KEY });
  return post("/keys", { name: "k", role: "admin" });
};
const from = (origin: string, more: Record<string, string> = {}) => ({ headers: { origin, ...more } });

describe("a page of another origin", () => {
  it("can read answers and errors when its origin is allowed", async () => {
    for (const answer of [
      await get("/sessions", from(APP)),
      await get("/sessions", { ...from(APP), token: "bad" }),
      await get("/nowhere", from(APP)),
      await get("/v1/sessions/none_20240315-043147", from(APP)),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
      expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
      expect(answer.headers.get("vary")).toMatch(/origin/i);
    }
  });

  it("learns from a preflight what it may send, and from Allow which methods exist", async () => {
    const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "authorization" };
    const { status, headers } = await call("OPTIONS", "/sessions/x", undefined, { ...from(APP, asked), token: null });
    expect(status).toBe(204);
    expect(headers.get("allow")?.split(", ").toSorted()).toEqual(["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]);
    expect(headers.get("access-control-allow-origin")).toBe(APP);
    expect(headers.get("access-control-allow-methods")).toContain("PUT");
    expect(headers.get("access-control-allow-headers")).toMatch(/authorization.*idempotency-key/);
  });

  it.each(["https://evil.example", "null", "*", "http://app.example", `${APP}.evil.example`])(
    "that is not allowed, such as %s, can read nothing",
    async (origin) => {
      const asked = { "access-control-request-method": "GET" };
      for (const answer of [
        await get("/sessions", from(origin)),
        await call("OPTIONS", "/sessions", undefined, { ...from(origin, asked), token: null }),
      ]) {
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        expect(answer.headers.get("vary")).toBe("Origin");
      }
    },
  );

  it.each(["", "*", "null", `${APP}/`, "app.example"])(
    "can read nothing when ALLOWED_ORIGINS is %j",
    async (origins) => {
      setVariables({ ALLOWED_ORIGINS: origins });
      for (const origin of [APP, "*", "null"]) {
        expect((await get("/sessions", from(origin))).headers.get("access-control-allow-origin")).toBeNull();
      }
    },
  );

  it("can change nothing when no token is needed", async () => {
    setVariables({ ANONYMOUS_ROLE: "service" });
    const id = await createSession();
    for (const origin of ["https://evil.example", "http://parley.test", "null"]) {
      const refused = await post(`/sessions/${id}/end`, undefined, { token: null, ...from(origin) });
      expect([refused.status, refused.body.error.code]).toEqual([403, "origin_refused"]);
    }
    expect((await get(`/sessions/${id}`, { token: null, ...from("https://evil.example") })).status).toBe(200);
    expect((await post(`/sessions/${id}/stop`, undefined, { token: null, ...from(APP) })).status).toBe(200);
    expect((await post(`/sessions/${id}/stop`, undefined, { token: null })).status).toBe(200);
    expect((await post(`/sessions/${id}/end`, undefined, from("https://evil.example"))).status).toBe(200);
  });

  it("can open no socket, and a page of our own origin only with a token", async () => {
    const id = await createSession();
    const open = async (origin: string, token: string | null | undefined) =>
      (await upgrade(`/sessions/${id}/ws`, { ...(token === undefined ? {} : { token }), ...from(origin) })).status;
    expect(await open("https://evil.example", undefined)).toBe(403);
    expect(await open("http://parley.test", undefined)).toBe(101);
    setVariables({ ANONYMOUS_ROLE: "service" });
    expect(await open("http://parley.test", null)).toBe(403);
    expect(await open(APP, null)).toBe(101);
  });
});

describe("every answer", () => {
  it("has headers that keep a browser from doing more than show it", async () => {
    for (const path of ["/sessions", "/v1/sessions", "/nowhere", "/healthz", "/"]) {
      const { headers } = await get(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("strict-transport-security")).toMatch(/max-age=\d{7,}/);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("x-powered-by")).toBeNull();
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    }
  });

  it("that is private may not be kept by anybody", async () => {
    const id = await createSession();
    const { session_id: comparison } = await createComparison([await createEndpoint()]);
    for (const answer of [
      await get("/sessions"),
      await get(`/sessions/${id}`),
      await get("/sessions/none"),
      await get("/sessions", { token: "bad" }),
      await get("/me"),
      await get("/healthz?deep=1"),
      await post("/keys", { name: "k", role: "service" }),
      await post(`/sessions/${id}/tickets`),
    ])
      expect(answer.headers.get("cache-control")).toBe("no-store");
    for (const answer of [
      await get("/v1/sessions"),
      await get("/v1/sessions/none"),
      await get(`/v1/sessions/${comparison}/export`),
      await post(`/v1/sessions/${comparison}/tickets`),
    ])
      expect(answer.headers.get("cache-control")).toBe("no-store, no-transform");
    for (const path of [`/sessions/${id}/events`, `/v1/sessions/${comparison}/events`])
      expect((await followEvents(path)).headers.get("cache-control")).toBe("no-cache, no-transform");
    const { headers } = await exports.default.fetch("http://parley.test/openapi.json");
    expect(headers.get("cache-control")).toBeNull();
  });

  it("has a request id of ours, and the log has the caller's beside it", async () => {
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const given = async (id: string) => {
      const { headers } = await get("/sessions", { token: "bad", headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      expect(headers.get("x-request-id")).not.toBe(id);
      return info.mock.lastCall?.[0] as Record<string, unknown>;
    };
    const known = crypto.randomUUID();
    expect(await given(known)).toMatchObject({ requestId: expect.any(String), callerRequestId: known });
    for (const odd of ["two words", "x".repeat(201), "<b>", ""])
      expect(await given(odd)).not.toHaveProperty("callerRequestId");
  });
});

describe("the audit log", () => {
  it("has caller, call and target, and no secret", async () => {
    const lines: Record<string, unknown>[] = [];
    const logged: string[] = [];
    const note = (line: unknown) => {
      logged.push(JSON.stringify(line));
      lines.push(line as Record<string, unknown>);
    };
    vi.spyOn(console, "info").mockImplementation(note);
    vi.spyOn(console, "error").mockImplementation(note);
    await get("/sessions", { token: "parley_guessed" });
    const { id: keyId, key } = (await post("/keys", { name: "k", role: "admin" })).body.data;
    const endpointId = await createEndpoint({ token: "sk-very-secret" });
    await put(`/v1/llm_endpoints/${endpointId}`, { token: "sk-another-secret" }, { token: key });
    await del(`/v1/llm_endpoints/${endpointId}`, { token: key });
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const sessionId = await createSession({ chatbotId, clientId });
    await post(`/sessions/message?sessionId=${sessionId}`, { message: { role: "user", content: "between us" } });
    await del(`/sessions/${sessionId}`);
    await del(`/chatbots/${chatbotId}`);
    await del(`/clients/${clientId}`);
    const comparison = await createComparison([await createEndpoint()]);
    await del(`/v1/sessions/${comparison.session_id}`);
    const name = unique("template");
    await post("/v1/prompt_templates", { name, template: "{{ prompt }}" });
    await del(`/v1/prompt_templates/${encodeURIComponent(name)}`);
    await del(`/keys/${keyId}`);
    const seen = (event: string) => lines.filter((line) => line["event"] === event);
    const by = (id: string) => ({ requestId: expect.any(String), caller: { role: "admin", id } });
    expect(seen("sign-in-failed")).toEqual([expect.objectContaining({ caller: null, path: "/sessions" })]);
    expect(seen("key-created")).toEqual([expect.objectContaining({ ...by("admin"), keyId, role: "admin" })]);
    expect(seen("endpoint-updated")).toEqual([
      expect.objectContaining({ ...by(keyId), endpointId, fields: ["token"] }),
    ]);
    expect(seen("endpoint-deleted")).toEqual([expect.objectContaining({ ...by(keyId), endpointId })]);
    expect(seen("endpoint-created")).toHaveLength(3);
    expect(seen("session-deleted").map((line) => line["sessionId"])).toEqual([sessionId, comparison.session_id]);
    expect(seen("chatbot-deleted")).toEqual([expect.objectContaining({ chatbotId })]);
    expect(seen("client-deleted")).toEqual([expect.objectContaining({ clientId })]);
    expect(seen("prompt-template-deleted")).toEqual([expect.objectContaining({ ...by("admin"), name })]);
    expect(seen("key-revoked")).toEqual([expect.objectContaining({ ...by("admin"), keyId })]);
    expect(logged.join("\n")).not.toMatch(/very-secret|another-secret|between us|parley_guessed|test-admin-key/);
    expect(logged.join("\n")).not.toContain(key);
  });
});

describe("a Worker with missing settings", () => {
  it.each([
    ["", "not set"],
    [" ", "blanks"],
    ["two words", "blanks"],
  ])("without a good ADMIN_KEY (%j) lets no admin in, and logs the reason", async (key, message) => {
    setVariables({ ADMIN_KEY: key });
    for (const token of [ADMIN_KEY, "two", "undefined", "null"]) {
      const { status, body } = await post("/keys", { name: "k", role: "admin" }, { token });
      expect([status, body.error.code]).toEqual([503, "misconfigured"]);
      expect(body.message).toContain(message);
    }
    expect((await get("/v1/sessions", { token: "x" })).body.detail).toContain("ADMIN_KEY");
    expect((await get("/sessions", { token: null })).status).toBe(401);
  });

  it.each(["parley-dev", "x".repeat(31)])("refuses the ADMIN_KEY %s outside a local start", async (key) => {
    setVariables({ ADMIN_KEY: key });
    const { status, body } = await get("/sessions", { token: key });
    expect([status, body.error.code, body.message]).toEqual([503, "misconfigured", expect.stringContaining("shorter")]);
    const { key: token } = (await createAdmin()).body.data;
    setVariables({ ADMIN_KEY: key });
    const deep = await get("/healthz?deep=1", { token });
    expect(deep.body.problems).toEqual([expect.stringMatching(/ADMIN_KEY is shorter than 32/)]);
    setVariables({ LOCAL: "true" });
    expect((await get("/sessions", { token: key })).status).toBe(200);
    expect((await get("/healthz?deep=1", { token: key })).body.problems).toEqual([]);
    for (const other of ["", "1", "false", "TRUE"]) {
      setVariables({ LOCAL: other });
      expect((await get("/sessions", { token: key })).status).toBe(503);
    }
  });

  it("encrypts nothing with the ENCRYPTION_KEY of local starts", async () => {
    setVariables({ ENCRYPTION_KEY: LOCAL_SECRETS.ENCRYPTION_KEY });
    const endpoint = () => ({ name: unique("e"), connector_type: "openai-connector", token: "sk-1", model: "m" });
    expect((await post("/v1/llm_endpoints", endpoint())).status).toBe(503);
    expect((await get("/healthz?deep=1")).body.problems).toEqual([expect.stringContaining("everybody knows")]);
    setVariables({ LOCAL: "true" });
    expect((await post("/v1/llm_endpoints", endpoint())).status).toBe(200);
    expect((await get("/healthz?deep=1")).body.problems).toEqual([]);
  });

  it("still accepts API keys", async () => {
    const { key: token } = (await post("/keys", { name: "k", role: "service" })).body.data;
    setVariables({ ADMIN_KEY: "" });
    expect((await get("/sessions", { token })).status).toBe(200);
  });

  it("shows an admin which setting is wrong, and no value", async () => {
    // Other tests here leave endpoints whose tokens no key opens.
    const ofSettings = (problems: string[]) => problems.filter((problem) => !problem.startsWith("No key opens"));
    expect(ofSettings((await get("/healthz?deep=1")).body.problems)).toEqual([]);
    setVariables({
      ENCRYPTION_KEY: "short",
      ANONYMOUS_ROLE: "root",
      JWT_ISSUER: "x",
      ALLOWED_ORIGINS: "*",
      TIME_ZONE: "Mars",
    });
    const { body } = await get("/healthz?deep=1");
    expect(body.status).toBe("degraded");
    expect(ofSettings(body.problems)).toHaveLength(5);
    expect(body.problems.join()).not.toMatch(/short|root|Mars/);
  });
});

describe("the size", () => {
  it("of names, ids, searches and nesting is limited", async () => {
    const long = "x".repeat(20_000);
    expect((await get(`/sessions?searchString=${long}`)).status).toBe(200);
    expect((await get(`/sessions/${long}`)).status).toBe(404);
    expect((await get(`/v1/llm_endpoints/${long}`)).status).toBe(404);
    expect((await post("/clients", { name: unique("c"), metadata: { a: long } })).status).toBe(400);
    expect((await post("/sessions", { chatbotId: long, clientId: long })).status).toBe(400);
  });
});
