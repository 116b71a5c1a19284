/** CORS, headers, rate limits, the audit log, and a Worker with missing settings. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, del, get, post, put } from "../../support/api.ts";
import { upgrade } from "../../support/follow.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createSession,
  createEndpoint,
  unique,
} from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const APP = "https://app.example";
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
    for (const path of ["/sessions", "/v1/sessions", "/nowhere", "/healthz", "/docs"]) {
      const { headers } = await get(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("strict-transport-security")).toMatch(/max-age=\d{7,}/);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });

  it("of /docs allows its one style, and no script", async () => {
    const { body, headers } = await get("/docs", { token: null });
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    const [, nonce] = /<style nonce="([^"]+)">/.exec(body) ?? [];
    expect(headers.get("content-security-policy")).toContain(`style-src 'nonce-${nonce}'`);
    expect(body).not.toMatch(/<script| style="| src=|@import|<link/);
  });
});

describe("rate limits", () => {
  const limits = () =>
    setVariables({
      RATE_LIMITS: "",
      ADDRESS_LIMIT: undefined as never,
      CALLER_LIMIT: undefined as never,
      SIGN_IN_LIMIT: undefined as never,
    });
  const address = () => `203.0.113.${Math.floor(Math.random() * 250)}-${crypto.randomUUID()}`;
  const statuses = async (count: number, make: () => Promise<{ status: number }>) => {
    const seen: number[] = [];
    for (let n = 0; n < count; n++) seen.push((await make()).status);
    return seen;
  };

  it("per address answer 429 in the dialect's form, with Retry-After, before the token is checked", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(5, () => get("/sessions", { token: null, headers }))).toEqual([401, 401, 401, 429, 429]);
    const [session, moonshot] = [await get("/sessions", { headers }), await get("/v1/sessions", { headers })];
    expect([session.status, session.body.error.code]).toEqual([429, "too_many_calls"]);
    expect([moonshot.status, moonshot.body.detail]).toEqual([429, expect.stringMatching(/Too many calls/)]);
    expect(session.headers.get("retry-after")).toBe("60");
    expect((await get("/sessions", { headers: { "cf-connecting-ip": address() } })).status).toBe(200);
  });

  it("per caller answer 429 from any address", async () => {
    limits();
    setVariables({ CALLER_LIMIT: env.THREE_A_MINUTE });
    const { key: token } = (await post("/keys", { name: "k", role: "service" })).body.data;
    const make = () => get("/v1/sessions", { token, headers: { "cf-connecting-ip": address() } });
    expect(await statuses(5, make)).toEqual([200, 200, 200, 429, 429]);
  });

  it("without a token count by address", async () => {
    limits();
    setVariables({ CALLER_LIMIT: env.THREE_A_MINUTE, ANONYMOUS_ROLE: "service" });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(4, () => get("/sessions", { token: null, headers }))).toEqual([200, 200, 200, 429]);
    expect((await get("/sessions", { token: null, headers: { "cf-connecting-ip": address() } })).status).toBe(200);
  });

  it("are lower for bad tokens, and good tokens from the same address still work", async () => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(5, () => get("/sessions", { token: "guess", headers }))).toEqual([401, 401, 401, 429, 429]);
    expect((await get("/sessions", { headers })).status).toBe(200);
  });

  it("are lower for bad tokens at the open route for admins too, and are logged", async () => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const headers = { "cf-connecting-ip": address() };
    const guess = () => get("/healthz?deep=1", { token: "guess", headers });
    expect(await statuses(5, guess)).toEqual([401, 401, 401, 429, 429]);
    expect(info).toHaveBeenCalledWith(expect.objectContaining({ event: "sign-in-failed", path: "/healthz" }));
    expect((await get("/healthz", { token: null, headers })).status).toBe(200);
  });

  it("treat an IPv6 network as one address", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const hex = () => Math.floor(Math.random() * 0xfffe + 1).toString(16);
    const network = `2001:db8:${hex()}`;
    const each = [`${network}:0:1:2:3:4`, `${network}::1`, `${network}:0000:ffff::`, `${network.toUpperCase()}::9:9`];
    let turn = 0;
    const make = () => get("/sessions", { headers: { "cf-connecting-ip": each[turn++] ?? "" } });
    expect(await statuses(4, make)).toEqual([200, 200, 200, 429]);
    const next = { "cf-connecting-ip": `${network}:1::1` };
    expect((await get("/sessions", { headers: next })).status).toBe(200);
  });

  it("are off when the binding fails", async () => {
    limits();
    setVariables({ CALLER_LIMIT: { limit: () => Promise.reject(new Error("down")) } });
    expect((await get("/sessions")).status).toBe(200);
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
    for (const token of ["test-admin-key", "two", "undefined", "null"]) {
      const { status, body } = await post("/keys", { name: "k", role: "admin" }, { token });
      expect([status, body.error.code]).toEqual([503, "misconfigured"]);
      expect(body.message).toContain(message);
    }
    expect((await get("/v1/sessions", { token: "x" })).body.detail).toContain("ADMIN_KEY");
    expect((await get("/sessions", { token: null })).status).toBe(401);
  });

  it("still accepts API keys", async () => {
    const { key: token } = (await post("/keys", { name: "k", role: "service" })).body.data;
    setVariables({ ADMIN_KEY: "" });
    expect((await get("/sessions", { token })).status).toBe(200);
  });

  it("shows an admin which setting is wrong, and no value", async () => {
    expect((await get("/healthz?deep=1")).body.problems).toEqual([]);
    setVariables({
      ENCRYPTION_KEY: "short",
      ANONYMOUS_ROLE: "root",
      JWT_ISSUER: "x",
      ALLOWED_ORIGINS: "*",
      TIME_ZONE: "Mars",
    });
    const { body } = await get("/healthz?deep=1");
    expect(body.status).toBe("degraded");
    expect(body.problems).toHaveLength(5);
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
