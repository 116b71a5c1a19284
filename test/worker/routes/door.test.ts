/** What all routes share: paths, methods, content types, errors, and API keys. */
import { describe, expect, it } from "vitest";
import { call, del, get, post } from "../../support/api.ts";
import { createSession } from "../../support/create.ts";

describe("every route", () => {
  it.each([
    ["GET", "/nope", 404, { success: false }],
    ["GET", "/v1/nope", 404, { detail: expect.any(String) }],
    ["PATCH", "/sessions", 405, { success: false }],
    ["PUT", "/v1/sessions", 405, { detail: expect.any(String) }],
  ])("answers %s %s with %i in its dialect, with or without a token", async (method, path, status, body) => {
    for (const token of [null, "test-admin-key"]) {
      const answer = await call(method, path, undefined, { token });
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject(body);
    }
  });

  it("lists the methods that a path accepts", async () => {
    expect((await call("PATCH", "/sessions/65f3a1b2c4d5e6f708192a3d")).headers.get("allow")).toBe(
      "PUT, GET, HEAD, DELETE, OPTIONS",
    );
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
    const { status, body } = await post("/clients", `{"name":"x","metadata":${text}}`);
    expect(status).toBe(201);
    expect(body.data.metadata).toHaveProperty("polluted", 1);
    const names = (await post("/clients", `{"name":"x",${text.slice(1)}`)).body.error.details.map(
      ({ path }: { path: string }) => path,
    );
    expect(names).toEqual(["polluted", "__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("names faults as pydantic does in /v1", async () => {
    const { body } = await post("/v1/sessions", { name: 5 });
    expect(body.error).toEqual([
      { type: "string_type", loc: ["body", "name"], msg: expect.any(String), input: 5 },
      { type: "missing", loc: ["body", "endpoints"], msg: "Field required" },
    ]);
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

  it("are refused for their content only when the body is well-formed", async () => {
    const { key: token } = await make({ role: "service" });
    expect((await post("/keys", { name: "x" }, { token })).status).toBe(400);
    expect((await post("/keys", { name: "x", role: "client" })).status).toBe(400);
  });

  it.each(["", "Bearer", "Bearer ", "Basic dGVzdA==", "Bearer wrong", "Bearer test-admin-key extra"])(
    "are not accepted as %j",
    async (authorization) => {
      const answer = await get("/sessions", { token: null, headers: { authorization } });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    },
  );
});
