/** What all routes share: paths, methods, content types, errors, and API keys. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { ADMIN_KEY, call, del, get, post } from "../../support/api.ts";
import { createClient, createEndpoint, createSession } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

describe("every route", () => {
  it.each([
    ["GET", "/nope", 404, { success: false }],
    ["GET", "/v1/nope", 404, { detail: expect.any(String) }],
    ["PATCH", "/sessions", 405, { success: false }],
    ["PUT", "/v1/sessions", 405, { detail: expect.any(String) }],
    ["GET", "/sessions/chat?sessionId=65f3a1b2c4d5e6f708192a3d", 405, { success: false }],
    ["DELETE", "/sessions/message", 405, { success: false }],
  ])("answers %s %s with %i in its dialect, with or without a token", async (method, path, status, body) => {
    for (const token of [null, ADMIN_KEY]) {
      const answer = await call(method, path, undefined, { token });
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject(body);
    }
  });

  it("lists the methods that a path accepts", async () => {
    expect((await call("PATCH", "/sessions/65f3a1b2c4d5e6f708192a3d")).headers.get("allow")).toBe(
      "PUT, GET, HEAD, DELETE, OPTIONS",
    );
    expect((await call("GET", "/sessions/chat")).headers.get("allow")).toBe("POST, OPTIONS");
    const options = await call("OPTIONS", "/v1/sessions", undefined, { token: null });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
  });

  it("accepts a trailing slash, and HEAD without a body for GET", async () => {
    expect((await get("/sessions/")).status).toBe(200);
    const head = await call("HEAD", "/sessions");
    expect([head.status, head.body]).toEqual([200, ""]);
  });

  it("adds a request id and timings to every answer", async () => {
    for (const path of ["/healthz", "/nope", "/sessions", "/v1/sessions/x_20240101-000000"]) {
      const { headers } = await get(path);
      expect(headers.get("x-request-id")).toMatch(/.+/);
      expect(headers.get("server-timing")).toContain("total");
    }
    const refused = await get("/sessions/nope");
    expect(refused.body.error.requestId).toBe(refused.headers.get("x-request-id"));
    const id = await createSession();
    expect((await get(`/sessions/${id}`)).headers.get("server-timing")).toMatch(/session;dur=.*index;dur=/);
  });

  it("checks token, content type, size and form in this order", async () => {
    const path = "/sessions/chat";
    const text = { headers: { "content-type": "text/plain" } };
    const large = JSON.stringify({ content: "x".repeat(1_100_000) });
    expect((await post(path, "{", { ...text, token: "bad" })).status).toBe(401);
    expect((await post("/chatbots", large, text)).status).toBe(415);
    expect((await post("/chatbots", large)).status).toBe(413);
    expect((await post("/chatbots", "{")).status).toBe(400);
    expect((await post("/v1/sessions", large)).status).toBe(413);
    expect((await post("/v1/sessions", "{}", text)).status).toBe(415);
  });

  it.each(["application/json", "application/json; charset=utf-8", "application/problem+json", "APPLICATION/JSON"])(
    "accepts %s as JSON",
    async (type) => {
      expect((await post("/v1/sessions", "{}", { headers: { "content-type": type } })).status).toBe(422);
    },
  );

  it("accepts 32 levels of nesting and not 33", async () => {
    const nested = (levels: number) => `${'{"metadata":'.repeat(levels)}{}${"}".repeat(levels)}`;
    const about = async (levels: number) =>
      (await post("/clients", nested(levels))).body.error.details.map(({ path }: { path: string }) => path);
    expect(await about(31)).toContain("name");
    expect(await about(32)).toEqual([""]);
    expect((await post("/clients", nested(20_000))).status).toBe(400);
  });

  it("keeps prototypes out", async () => {
    const text = '{"polluted":1,"__proto__":{"polluted":1},"constructor":1}';
    const refused = await post("/clients", `{"name":"x","metadata":${text}}`);
    expect([refused.status, refused.body.error.details]).toEqual([
      400,
      [{ path: "metadata.__proto__", message: "must not be the name of a field" }],
    ]);
    const inside = await post("/clients", `{"name":"x","metadata":{"inside":${text}}}`);
    expect(inside.status).toBe(201);
    expect(JSON.stringify(inside.body.data.metadata)).toBe(`{"inside":${text}}`);
    const names = (await post("/clients", `{"name":"x",${text.slice(1)}`)).body.error.details.map(
      ({ path }: { path: string }) => path,
    );
    expect(names).toEqual(["polluted", "__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("refuses params with a name that would be lost, in both dialects", async () => {
    const endpoint = await post(
      "/v1/llm_endpoints",
      '{"name":"x","connector_type":"echo-connector","params":{"__proto__":1}}',
    );
    expect([endpoint.status, endpoint.body.error[0].loc]).toEqual([422, ["body", "params", "__proto__"]]);
    const chatbot = await post("/chatbots", '{"name":"x","endpointId":"echo","params":{"__proto__":1}}');
    expect([chatbot.status, chatbot.body.error.details[0].path]).toEqual([400, "params.__proto__"]);
  });

  it("refuses such a name in every free object of OpenAI's API, and for a param, by its path", async () => {
    const model = await createEndpoint();
    const asked = { chat: '"messages":[{"role":"user","content":"hi"}]', response: '"input":"hi"' };
    for (const [path, fields, place] of [
      ["chat/completions", `${asked.chat},"metadata":{"a":"b","__proto__":"c"}`, "metadata.__proto__"],
      ["chat/completions", `${asked.chat},"__proto__":{"temperature":1}`, "__proto__"],
      ["responses", `${asked.response},"metadata":{"a":"b","__proto__":"c"}`, "metadata.__proto__"],
      ["responses", `${asked.response},"__proto__":{"temperature":1}`, "__proto__"],
    ] as const) {
      const { status, body } = await post(`/openai/v1/${path}`, `{"model":"${model}",${fields}}`);
      expect([path, status, body.error.param]).toEqual([path, 400, place]);
    }
  });

  it("refuses query parameters without a name, on routes with a query and without", async () => {
    for (const path of ["/clients?__proto__=1", "/me?__prot%6f__=1", "/feedback?limit=1&__proto__=1"])
      expect([path, (await get(path)).status]).toEqual([path, 400]);
    for (const path of ["/clients?=1", "/clients?limit=1&=", "/me?=", "/clients?%3D=&=1"])
      expect([path, (await get(path)).status]).toEqual([path, 400]);
    const { status, body } = await get("/v1/sessions?=1");
    expect([status, body.error]).toEqual([
      422,
      [{ type: "extra_forbidden", loc: ["query", ""], msg: "unknown query parameter" }],
    ]);
    for (const path of ["/clients?", "/clients?&&limit=1&", "/clients?searchString=a?=b"])
      expect([path, (await get(path)).status]).toEqual([path, 200]);
  });

  it("names faults as pydantic does in /v1", async () => {
    const { body } = await post("/v1/sessions", { name: 5 });
    expect(body.error).toEqual([
      { type: "string_type", loc: ["body", "name"], msg: expect.any(String), input: 5 },
      { type: "missing", loc: ["body", "endpoints"], msg: "Field required" },
    ]);
  });
});

describe("who I am", () => {
  it("is shown to every caller: role, client and expiry", async () => {
    expect((await get("/me")).body).toEqual({ success: true, data: { id: "admin", role: "admin" } });
    const clientId = await createClient();
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    for (const [role, own] of [
      ["admin", {}],
      ["service", { expiresAt }],
      ["client", { clientId, expiresAt }],
    ] as const) {
      const { key, id } = (await post("/keys", { name: "k", role, ...own })).body.data;
      expect((await get("/me", { token: key })).body.data).toEqual({ id, role, ...own });
    }
    expect((await get("/me", { token: null })).status).toBe(401);
    setVariables({ ANONYMOUS_ROLE: "service" });
    expect((await get("/me", { token: null })).body.data).toEqual({ id: "anonymous", role: "service" });
  });
});

describe("keys", () => {
  const make = async (fields: Record<string, unknown>) => (await post("/keys", { name: "k", ...fields })).body.data;

  it("are shown once, listed without the token, and revoked at once", async () => {
    const { status, body } = await post("/keys", { name: "backend", role: "service" });
    expect(status).toBe(201);
    const { key, ...shown } = body.data;
    expect((await get("/sessions", { token: key })).status).toBe(200);
    const listed = await get("/keys");
    expect(listed.body.data).toContainEqual({ ...shown, lastUsedAt: expect.any(String) });
    expect(JSON.stringify(listed.body)).not.toContain(key);
    expect((await del(`/keys/${shown.id}`)).status).toBe(200);
    expect((await get("/sessions", { token: key })).status).toBe(401);
    expect((await del(`/keys/${shown.id}`)).status).toBe(404);
  });

  it("expire", async () => {
    const { key } = await make({ role: "service", expiresAt: new Date(Date.now() + 1_500).toISOString() });
    expect((await get("/sessions", { token: key })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect((await get("/sessions", { token: key })).status).toBe(401);
  });

  it("of a service allow its work and no more", async () => {
    const { key: token } = await make({ role: "service" });
    expect((await get("/v1/llm_endpoints", { token })).status).toBe(200);
    expect((await post("/clients", { name: "x" }, { token })).status).toBe(201);
    for (const forbidden of [
      await get("/keys", { token }),
      await post("/keys", { name: "x", role: "admin" }, { token }),
      await post("/v1/llm_endpoints", { name: "x", connector_type: "echo-connector" }, { token }),
      await del("/v1/llm_endpoints/x", { token }),
    ]) {
      expect(forbidden.status).toBe(403);
    }
  });

  it("of role client may be made by a service, for 24 hours at most", async () => {
    const { key: token } = await make({ role: "service" });
    const clientId = await createClient();
    const day = 86_400_000;
    const key = (fields: object) => post("/keys", { name: "web", role: "client", clientId, ...fields }, { token });
    const short = await key({});
    expect(short.status).toBe(201);
    expect(Math.abs(Date.parse(short.body.data.expiresAt) - Date.now() - day)).toBeLessThan(60_000);
    expect((await get("/me", { token: short.body.data.key })).body.data).toEqual({
      id: short.body.data.id,
      role: "client",
      clientId,
      expiresAt: short.body.data.expiresAt,
    });
    const hour = new Date(Date.now() + day / 24).toISOString();
    expect((await key({ expiresAt: hour })).body.data.expiresAt).toBe(hour);
    const long = await key({ expiresAt: new Date(Date.now() + day + 60_000).toISOString() });
    expect([long.status, long.body.error.details]).toEqual([
      400,
      [{ path: "expiresAt", message: expect.stringContaining("24 hours") }],
    ]);
    expect((await key({ clientId: "0123456789abcdef01234567" })).status).toBe(404);
    for (const role of ["admin", "service"])
      expect((await post("/keys", { name: "x", role }, { token })).status).toBe(403);
    for (const denied of [
      await get("/keys", { token }),
      await del(`/keys/${short.body.data.id}`, { token }),
      await post("/keys", { name: "x", role: "client", clientId }, { token: short.body.data.key }),
    ])
      expect(denied.status).toBe(403);
    // An admin's is not bounded.
    expect((await post("/keys", { name: "x", role: "client", clientId })).body.data).not.toHaveProperty("expiresAt");
  });

  it("that a service made outlive its own, for 24 hours, and the audit log names both", async () => {
    const { id, key: token } = await make({ role: "service" });
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const input = { name: "web", role: "client", clientId: await createClient() };
    const made = (await post("/keys", input, { token })).body.data;
    const lines = info.mock.calls.map(([line]: unknown[]) => line);
    info.mockRestore();
    const by = { event: "key-created", caller: { role: "service", id }, keyId: made.id };
    expect(lines).toContainEqual(expect.objectContaining(by));
    expect((await del(`/keys/${id}`)).status).toBe(200);
    expect((await get("/sessions", { token })).status).toBe(401);
    expect((await get("/sessions", { token: made.key })).status).toBe(200);
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 86_400_000);
    const { status } = await get("/sessions", { token: made.key });
    clock.mockRestore();
    expect(status).toBe(401);
  });

  it("are not made for callers without a token", async () => {
    const clientId = await createClient();
    setVariables({ ANONYMOUS_ROLE: "service" });
    expect((await post("/keys", { name: "x", role: "client", clientId }, { token: null })).status).toBe(403);
  });

  it("are listed page by page, and forgotten a month after they expired", async () => {
    const made = [await make({ role: "service" }), await make({ role: "service" })];
    const ids = async (query: string) =>
      (await get(`/keys${query}`)).body.data.map(({ id }: { id: string }) => id) as string[];
    expect(await ids("?limit=2")).toEqual(made.map(({ id }) => id).toReversed());
    expect(await ids("?limit=1&skip=1")).toEqual([made[0].id]);
    expect((await get("/keys?limit=1001")).status).toBe(400);
    const month = 30 * 86_400_000;
    const expire = (id: string, ago: number) =>
      env.DB.prepare("update keys set expires_at = ? where id = ?")
        .bind(Date.now() - ago, id)
        .run();
    await expire(made[0].id, month + 60_000);
    await expire(made[1].id, month - 60_000);
    await worker.scheduled(createScheduledController(), env);
    expect(await ids("?limit=2")).toContain(made[1].id);
    expect(await ids("")).not.toContain(made[0].id);
  });

  it("are refused for their content only when the body is well-formed", async () => {
    const { key: token } = await make({ role: "service" });
    expect((await post("/keys", { name: "x" }, { token })).status).toBe(400);
    expect((await post("/keys", { name: "x", role: "client" })).status).toBe(400);
  });

  it.each(["", "Bearer", "Bearer ", "Basic dGVzdA==", "Bearer wrong", `Bearer ${ADMIN_KEY} extra`])(
    "are not accepted as %j",
    async (authorization) => {
      const answer = await get("/sessions", { token: null, headers: { authorization } });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    },
  );
});
