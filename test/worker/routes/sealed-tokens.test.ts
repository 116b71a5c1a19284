/** Tokens of endpoints: encrypted at rest, and opened only for the call. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { app } from "../../../src/app.ts";
import { seal, unseal } from "../../../src/crypto/sealed-tokens.ts";
import { ReplyCaller } from "../../../src/providers/call/reply-caller.ts";
import { ADMIN_KEY, get, post, put } from "../../support/api.ts";
import { createChatbot, createComparison, createSession, createEndpoint, unique } from "../../support/create.ts";
import { faultIn } from "../../support/openapi.ts";
import { everythingStored } from "../../support/stored.ts";

const NO_LIMITS = { maxCallsPerSecond: 0, maxConcurrency: 0, since: 0 };

const upstream = inject("upstream");
const openai = { connector_type: "openai-connector", uri: `${upstream}/sealed/hello`, model: "m" };
const OTHER_KEY = btoa("another key of thirty-two bytes!");
const ours: Env = env;

/** An endpoint's token as D1 stores it. */
const stored = (id: string) => env.DB.prepare("select token from endpoints where id = ?").bind(id).first("token");

/** Calls a Worker with other settings. */
async function callWith(settings: Partial<Env>, method: string, path: string, body: object, more = {}) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", ...more };
  const answer = await app.request(path, { method, headers, body: JSON.stringify(body) }, { ...env, ...settings });
  const answerBody = await answer.json<ReturnType<typeof JSON.parse>>();
  expect(faultIn(method, path, answer.status, answerBody)).toBeNull();
  return { status: answer.status, body: answerBody };
}

/** Submits a prompt to an endpoint in a Worker with other settings. @returns the answer's text */
async function askWith(settings: Partial<Env>, id: string): Promise<string> {
  const row = await env.DB.prepare("select * from endpoints where id = ?").bind(id).first<Record<string, string>>();
  const { connector_type, uri = "", token = "", model = "", params = "" } = row ?? {};
  const request = { endpointId: id, connectorType: connector_type as "openai-connector", uri, token, model, params };
  const caller = new ReplyCaller(createExecutionContext(), { ...env, ...settings });
  const messages = [{ role: "user" as const, content: "Hi" }];
  const requests = [{ ...request, messages, previousCalls: 0, withReceipt: false, callLimits: NO_LIMITS }];
  return new Response(caller.callAll({ requests }).portions).text();
}

/** The tokens that a provider received, newest first. */
async function shownTo(provider: string): Promise<(string | undefined)[]> {
  const answer = await fetch(`${upstream}/received/${provider}`);
  const received = await answer.json<{ headers: Record<string, string> }[]>();
  return received.map(({ headers }) => headers["authorization"]);
}

describe("an endpoint's token", () => {
  it("reaches its provider, and is nowhere in D1 or the session's object in plain text, even with an idempotency key", async () => {
    const token = `sk-${crypto.randomUUID()}`;
    const name = unique("sealed");
    const headers = { "idempotency-key": crypto.randomUUID() };
    const created = await post("/v1/llm_endpoints", { name, ...openai, token }, { headers });
    expect(created.status).toBe(200);
    const id = name.replaceAll(" ", "-");
    const sessions = [await createSession({ chatbotId: await createChatbot({ endpointId: id }) })];
    expect((await post(`/sessions/chat?sessionId=${sessions[0]}`, { content: "Hi" })).status).toBe(200);
    const comparison = await createComparison([id]);
    sessions.push(comparison.session_id);
    await post(`/v1/sessions/${comparison.session_id}/prompt`, { prompt: "Hi" });
    expect((await shownTo("sealed")).slice(0, 2)).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
    for (const session of sessions) {
      const everything = await everythingStored(session);
      expect(everything).toContain("sealed:2:");
      expect(everything).not.toContain(token);
      expect(everything).not.toContain(btoa(token));
    }
    expect(JSON.stringify((await get("/v1/llm_endpoints")).body)).not.toMatch(/sealed:2:|sk-/);
  });

  it("is kept by the mask, also with blanks around it, and loses its own blanks", async () => {
    const id = await createEndpoint({ token: " sk-with-blanks\n" });
    const opened = async () =>
      unseal(String(await stored(id)), { endpointId: id, connectorType: "echo-connector", origin: "" }, ours);
    expect(await opened()).toBe("sk-with-blanks");
    expect((await put(`/v1/llm_endpoints/${id}`, { token: " ********\t" })).status).toBe(200);
    expect(await opened()).toBe("sk-with-blanks");
    const created = await post("/v1/llm_endpoints", {
      name: unique("masked"),
      connector_type: "echo-connector",
      token: " ********",
    });
    expect(created.status).toBe(422);
  });

  it("is replaced and sealed by an update, and kept by an update with the mask", async () => {
    const id = await createEndpoint({ ...openai, token: "sk-first" });
    const first = await stored(id);
    await put(`/v1/llm_endpoints/${id}`, { token: "sk-second" });
    await put(`/v1/llm_endpoints/${id}`, { model: "n", token: "********" });
    expect(await stored(id)).toMatch(/^sealed:2:/);
    expect(await stored(id)).not.toBe(first);
    expect(await askWith({}, id)).toContain('"type":"end"');
    expect((await shownTo("sealed"))[0]).toBe("Bearer sk-second");
  });

  it("is not sealed when it is empty, or names a secret", async () => {
    expect(await stored(await createEndpoint(openai))).toBe("");
    expect(await stored(await createEndpoint({ ...openai, token: "env:PROVIDER_TEST" }))).toBe("env:PROVIDER_TEST");
    const id = await createEndpoint({ ...openai, token: "sk-was" });
    await put(`/v1/llm_endpoints/${id}`, { token: "" });
    expect(await stored(id)).toBe("");
  });

  it("may look like a sealed one", async () => {
    const id = await createEndpoint({ ...openai, token: "sealed:2:AAAA" });
    await askWith({}, id);
    expect((await shownTo("sealed"))[0]).toBe("Bearer sealed:2:AAAA");
  });

  it("is sealed with a new key by its next update, while the previous key still opens it", async () => {
    const id = await createEndpoint({ ...openai, token: "sk-rotated" });
    const rotated = { ENCRYPTION_KEY: OTHER_KEY, ENCRYPTION_KEY_PREVIOUS: ours.ENCRYPTION_KEY ?? "" };
    expect(await askWith(rotated, id)).toContain('"type":"end"');
    expect(await askWith({ ENCRYPTION_KEY: OTHER_KEY }, id)).toContain("provider_auth");
    expect((await callWith(rotated, "PUT", `/v1/llm_endpoints/${id}`, { model: "n" })).status).toBe(200);
    expect(await askWith({ ENCRYPTION_KEY: OTHER_KEY }, id)).toContain('"type":"end"');
    expect((await shownTo("sealed"))[0]).toBe("Bearer sk-rotated");
  });

  it("shows in the deep health which key it needs", async () => {
    const id = await createEndpoint({ ...openai, token: "sk-checked" });
    const tokensWith = async (settings: Partial<Env>) => {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const answer = await app.request("/healthz?deep=1", { headers }, { ...env, ...settings });
      const { tokens, problems } = await answer.json<{ tokens: Record<string, string[]>; problems: string[] }>();
      const lists = Object.entries(tokens).flatMap(([name, ids]) => (ids.includes(id) ? [name] : []));
      return [...lists, problems.some((problem) => problem.includes(id))];
    };
    expect(await tokensWith({})).toEqual([false]);
    const rotated = { ENCRYPTION_KEY: OTHER_KEY, ENCRYPTION_KEY_PREVIOUS: ours.ENCRYPTION_KEY ?? "" };
    expect(await tokensWith(rotated)).toEqual(["previousKey", false]);
    expect(await tokensWith({ ENCRYPTION_KEY: OTHER_KEY })).toEqual(["unreadable", true]);
    await callWith(rotated, "PUT", `/v1/llm_endpoints/${id}`, { token: "********" });
    expect(await tokensWith({ ENCRYPTION_KEY: OTHER_KEY })).toEqual([false]);
  });

  it("cannot be the mask when the endpoint is created", async () => {
    const { status, body } = await post("/v1/llm_endpoints", { name: unique("mask"), ...openai, token: "********" });
    expect([status, body.error[0].loc]).toEqual([422, ["body", "token"]]);
  });
});

it("sealed with a lost key fails its own reply, and no other of the prompt", async () => {
  const lost = await createEndpoint({ ...openai, token: "sk-lost" });
  const binding = { endpointId: lost, connectorType: "openai-connector", origin: new URL(upstream).origin } as const;
  const foreign = await seal("sk-lost", binding, { ENCRYPTION_KEY: OTHER_KEY });
  await env.DB.prepare("update endpoints set token = ? where id = ?").bind(foreign, lost).run();
  const session = await createComparison([lost, await createEndpoint({ ...openai, token: "sk-here" })]);
  const { status, body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hi" });
  const [failed, whole] = session.chat_ids.map((id: string) => body[id][0]);
  expect([status, failed.error.code, whole.status]).toEqual([200, "provider_auth", "ok"]);
  expect(failed.predicted_result).toContain("ENCRYPTION_KEY");
  expect((await put(`/v1/llm_endpoints/${lost}`, { model: "n" })).status).toBe(200);
  const masked = await put(`/v1/llm_endpoints/${lost}`, { token: "********" });
  expect([masked.status, masked.body.error[0].loc, masked.body.error[0].msg]).toEqual([
    422,
    ["body", "token"],
    expect.stringContaining("No key opens the stored token"),
  ]);
  expect(await stored(lost)).toBe(foreign);
  await put(`/v1/llm_endpoints/${lost}`, { token: "sk-found" });
  expect(await askWith({}, lost)).toContain('"type":"end"');
});

describe("whoever can write to D1", () => {
  const change = (id: string, column: string, value: string) =>
    env.DB.prepare(`update endpoints set ${column} = ? where id = ?`).bind(value, id).run();
  /** The same server under another origin. */
  const elsewhere = upstream.replace("127.0.0.1", "localhost");

  it.each([
    ["another host", "uri", `${elsewhere}/stolen/hello`],
    ["another connector", "connector_type", "together-connector"],
    ["the connector's own host", "uri", ""],
  ])("cannot have a sealed token sent to %s", async (_, column, value) => {
    const id = await createEndpoint({ ...openai, uri: `${upstream}/stolen/hello`, token: "sk-stolen" });
    await change(id, column, value);
    const before = await shownTo("stolen");
    const session = await createComparison([id]);
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "Hi" });
    expect(body[session.chat_ids[0]][0].error.code).toBe("provider_auth");
    const chat = await createSession({ chatbotId: await createChatbot({ endpointId: id }) });
    expect((await post(`/sessions/chat?sessionId=${chat}`, { content: "Hi" })).body.error.code).toBe("provider_auth");
    expect(await shownTo("stolen")).toEqual(before);
  });

  it("may move it to another path of its origin, as an admin may", async () => {
    const id = await createEndpoint({ ...openai, token: "sk-path" });
    await change(id, "uri", `${upstream}/path/hello`);
    await askWith({}, id);
    expect(await shownTo("path")).toEqual(["Bearer sk-path"]);
  });

  it("cannot give it to another endpoint, or bring back an earlier form", async () => {
    const id = await createEndpoint({ ...openai, token: "sk-first" });
    const token = String(await stored(id));
    const other = await createEndpoint({ ...openai, token: "sk-other" });
    for (const forged of [token, token.replace("sealed:2:", "sealed:1:"), "sk-plain"]) {
      await change(other, "token", forged);
      expect(await askWith({}, other)).toContain("provider_auth");
    }
  });

  it("cannot have a secret of the Worker sent to an origin that its variable does not list", async () => {
    const secrets = { PROVIDER_BOUND: "sk-bound", PROVIDER_BOUND_ORIGIN: `https://api.example, ${upstream}/v1` };
    const id = await createEndpoint({ ...openai, uri: `${upstream}/bound/hello`, token: "env:PROVIDER_BOUND" });
    await askWith(secrets as Partial<Env>, id);
    expect(await shownTo("bound")).toEqual(["Bearer sk-bound"]);
    await change(id, "uri", `${elsewhere}/bound/hello`);
    expect(await askWith(secrets as Partial<Env>, id)).toContain("refused_by_guard");
    for (const PROVIDER_BOUND_ORIGIN of ["none", "https://api.example"]) {
      expect(await askWith({ ...secrets, PROVIDER_BOUND_ORIGIN } as Partial<Env>, id)).toContain("refused_by_guard");
    }
    expect(await shownTo("bound")).toHaveLength(1);
  });
});

describe.each(["", "c2hvcnQ=", "no base64 at all"])("with the ENCRYPTION_KEY %j", (key) => {
  const settings = { ENCRYPTION_KEY: key };

  it("no token is accepted, the reason is logged, and nothing changes", async () => {
    const name = unique("unsealed");
    const refused = await callWith(settings, "POST", "/v1/llm_endpoints", { name, ...openai, token: "sk-secret" });
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining("ENCRYPTION_KEY") } });
    expect((await get(`/v1/llm_endpoints/${name.replaceAll(" ", "-")}`)).status).toBe(404);
    const id = await createEndpoint(openai);
    expect((await callWith(settings, "PUT", `/v1/llm_endpoints/${id}`, { token: "sk-secret" })).status).toBe(503);
    expect(await stored(id)).toBe("");
  });

  it("endpoints without a token of their own can be created and changed", async () => {
    const given = { name: unique("free"), ...openai, token: "env:PROVIDER_TEST" };
    expect((await callWith(settings, "POST", "/v1/llm_endpoints", given)).status).toBe(200);
    const path = `/v1/llm_endpoints/${given.name.replaceAll(" ", "-")}`;
    expect((await callWith(settings, "PUT", path, { token: "" })).status).toBe(200);
  });

  it("a reply whose token cannot be opened fails with an explanation, and the others succeed", async () => {
    const sealed = await createEndpoint({ ...openai, token: "sk-secret" });
    const failed = await askWith(settings, sealed);
    expect(failed).toContain("provider_auth");
    expect(failed).toContain("ENCRYPTION_KEY");
    expect(failed).not.toMatch(/sealed:2:|sk-secret/);
    expect(await askWith(settings, await createEndpoint({ ...openai, token: "env:PROVIDER_TEST" }))).toContain(
      '"type":"end"',
    );
  });
});

it("an idempotency key with another token is a conflict, and with the same token gets the first answer", async () => {
  const given = { name: unique("once"), ...openai, token: "1234" };
  const headers = { "idempotency-key": crypto.randomUUID() };
  await post("/v1/llm_endpoints", given, { headers });
  const again = await post("/v1/llm_endpoints", given, { headers });
  expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
  expect((await post("/v1/llm_endpoints", { ...given, token: "1235" }, { headers })).status).toBe(409);
  // To test all short tokens against the database, one must also have the Worker's key.
  const elsewhere = await callWith({ ENCRYPTION_KEY: OTHER_KEY }, "POST", "/v1/llm_endpoints", given, headers);
  expect(elsewhere.status).toBe(409);
});

describe("a deployed Worker", () => {
  const deployed = { ALLOW_PRIVATE_ENDPOINTS: "false" };

  it.each([
    "http://api.example.com",
    "https://127.1/v1",
    "https://0x7f000001",
    "https://[::ffff:10.0.0.1]",
    "https://１２７.0.0.1",
    "https://localhost./v1",
    "https://metadata.google.internal",
  ])("accepts no endpoint at %s, neither new nor by an update", async (uri) => {
    const given = { name: unique("guarded"), connector_type: "openai-connector", uri, model: "m" };
    const created = await callWith(deployed, "POST", "/v1/llm_endpoints", given);
    expect([created.status, created.body.error?.[0].loc]).toEqual([422, ["body", "uri"]]);
    const id = await createEndpoint(openai);
    const changed = await callWith(deployed, "PUT", `/v1/llm_endpoints/${id}`, { uri });
    expect([changed.status, changed.body.error?.[0].loc]).toEqual([422, ["body", "uri"]]);
  });

  it("accepts one at a public name, and one at its vendor's own address", async () => {
    for (const uri of ["https://api.example.com/v1", ""]) {
      const given = { name: unique("public"), connector_type: "openai-connector", uri, model: "m" };
      expect((await callWith(deployed, "POST", "/v1/llm_endpoints", given)).status).toBe(200);
    }
  });

  it("does not call a private address that got into D1: the guard refuses, and nothing is sent", async () => {
    const id = await createEndpoint({ ...openai, uri: `${upstream}/guarded/hello`, token: "sk-guarded" });
    expect(await askWith(deployed, id)).toContain("refused_by_guard");
    expect(await shownTo("guarded")).toEqual([]);
    expect(await askWith({ ALLOW_PRIVATE_ENDPOINTS: "1" }, id)).toContain('"type":"end"');
    expect(await shownTo("guarded")).toEqual(["Bearer sk-guarded"]);
  });
});
