/** What passes by itself is 503 with `Retry-After`, and what is idempotent is tried once more. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, get, post, put } from "../../support/api.ts";
import { breakD1, crash, loseEveryOtherD1Answer, loseNextD1Answer } from "../../support/faults.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const LOST = "Network connection lost.";
const OVERLOAD = "D1 DB is overloaded. Requests queued for too long.";

/** Everything that calls ask for. No session of it was used, so that each call needs D1. */
async function world() {
  const [endpoint, clientId] = [await createEndpoint(), await createClient()];
  const chatbotId = await createChatbot({ endpointId: endpoint });
  const session = await createSession({ chatbotId, clientId });
  const { session_id: comparison } = await createComparison([endpoint]);
  return { endpoint, clientId, chatbotId, session, comparison: comparison as string };
}

const callsOf = ({ endpoint, clientId, chatbotId, session, comparison }: Awaited<ReturnType<typeof world>>) =>
  [
    ["GET", "/sessions"],
    ["POST", "/sessions", { chatbotId, clientId }],
    ["GET", `/sessions/${session}`],
    ["PUT", `/sessions/${session}`, { title: "Other" }],
    ["POST", `/sessions/message?sessionId=${session}`, { message: { role: "user", content: "a" } }],
    ["POST", `/sessions/chat?sessionId=${session}`, { content: "a" }],
    ["GET", `/sessions/${session}/messages`],
    ["GET", `/sessions/${session}/events`],
    ["POST", `/sessions/${session}/tickets`],
    ["POST", `/sessions/${session}/end`],
    ["DELETE", `/sessions/${session}`],
    ["GET", "/chatbots"],
    ["POST", "/chatbots", { name: "b", endpointId: endpoint }],
    ["PUT", `/chatbots/${chatbotId}`, { name: "c" }],
    ["DELETE", `/chatbots/${chatbotId}`],
    ["POST", "/clients", { name: "d" }],
    ["GET", `/clients/${clientId}`],
    ["GET", "/keys"],
    ["POST", "/keys", { name: "e", role: "service" }],
    ["GET", "/v1/sessions"],
    ["POST", "/v1/sessions", { name: "f", endpoints: [endpoint] }],
    ["POST", `/v1/sessions/${comparison}/prompt`, { prompt: "a" }],
    ["GET", `/v1/sessions/${comparison}/export?format=csv`],
    ["GET", "/v1/llm_endpoints"],
    ["POST", "/v1/llm_endpoints", { name: unique("g"), connector_type: "echo-connector" }],
    ["POST", "/v1/prompt_templates", { name: unique("h"), description: "", template: "{{ prompt }}" }],
    ["GET", "/v1/prompt_templates"],
  ] as [string, string, object?][];

describe.each([
  [LOST, "1"],
  [OVERLOAD, "10"],
])("while D1 answers: %s", (message, seconds) => {
  it("every call is 503 with Retry-After, in the form of its dialect", async () => {
    const calls = callsOf(await world());
    const repairD1 = breakD1(message);
    const answers: unknown[] = [];
    for (const [method, path, body] of calls) {
      const { status, headers, body: answer } = await call(method, path, body);
      const code = path.startsWith("/v1") ? (answer.detail as string).slice(0, 12) : answer.error.code;
      answers.push([method, path, status, headers.get("retry-after"), code]);
    }
    repairD1();
    expect(answers).toEqual(
      calls.map(([method, path]) => [
        method,
        path,
        503,
        seconds,
        path.startsWith("/v1") ? "The database" : "unavailable",
      ]),
    );
  });

  it("so is a call whose key cannot be looked up", async () => {
    const { key: token } = (await post("/keys", { name: "k", role: "service" })).body.data;
    const repairD1 = breakD1(message);
    expect(await get("/sessions", { token })).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
    repairD1();
  });
});

it("an error that does not pass is 500", async () => {
  const repairD1 = breakD1("UNIQUE constraint failed: sessions.id: SQLITE_CONSTRAINT");
  const answer = await get("/sessions");
  repairD1();
  expect(answer).toMatchObject({ status: 500, body: { error: { code: "internal" } } });
  expect(answer.headers.get("retry-after")).toBeNull();
});

/** What is created, with how to count it. */
const CREATIONS: [string, (name: string) => Promise<[path: string, body: object]>, table: string][] = [
  [
    "an endpoint",
    async (name) => ["/v1/llm_endpoints", { name, connector_type: "echo-connector", token: "t" }],
    "endpoints",
  ],
  [
    "a template",
    async (name) => ["/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" }],
    "prompt_templates",
  ],
  ["a comparison", async (name) => ["/v1/sessions", { name, endpoints: [await createEndpoint()] }], "sessions"],
  ["a chatbot", async (name) => ["/chatbots", { name, endpointId: await createEndpoint() }], "chatbots"],
  ["a client", async (name) => ["/clients", { name, externalId: name }], "clients"],
  ["a key", async (name) => ["/keys", { name, role: "service" }], "keys"],
  [
    "a session",
    async (title) => [
      "/sessions",
      { title, chatbotId: await createChatbot({ greeting: "Hello" }), clientId: await createClient() },
    ],
    "sessions",
  ],
];

describe.each(CREATIONS)("%s is created once", (_, make, table) => {
  const count = async (name: string) => {
    const column = table === "sessions" ? "title" : "name";
    const found = await env.DB.prepare(`select count(*) as n from ${table} where ${column} = ?`).bind(name).first("n");
    return Number(found);
  };

  it("when the answer of D1 was lost", async () => {
    const name = unique("thing");
    const [path, body] = await make(name);
    loseNextD1Answer();
    const { status } = await post(path, body);
    expect([status, await count(name)]).toEqual([path.startsWith("/v1") ? 200 : 201, 1]);
  });

  it("when D1 was reset before it did anything", async () => {
    const name = unique("thing");
    const [path, body] = await make(name);
    vi.spyOn(env.DB, "batch").mockRejectedValueOnce(new Error(`D1_ERROR: ${LOST}`));
    const { status } = await post(path, body);
    expect([status, await count(name)]).toEqual([path.startsWith("/v1") ? 200 : 201, 1]);
  });

  it("under its key when D1's answers are lost", async () => {
    const name = unique("thing");
    const [path, body] = await make(name);
    const headers = { "idempotency-key": crypto.randomUUID() };
    loseEveryOtherD1Answer();
    const first = await post(path, body, { headers });
    expect(first.status).toBe(path.startsWith("/v1") ? 200 : 201);
    expect(await count(name)).toBe(1);
    if (path === "/keys") return;
    const second = await post(path, body, { headers });
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
  });

  it("not at all, and asked for once, when D1 is overloaded", async () => {
    const name = unique("thing");
    const [path, body] = await make(name);
    const batch = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error(`D1_ERROR: ${OVERLOAD}`));
    const { status } = await post(path, body);
    expect([status, batch.mock.calls.length]).toEqual([503, 1]);
    batch.mockRestore();
    expect(await count(name)).toBe(0);
  });
});

it("a name that is taken is still taken after a lost answer", async () => {
  const name = unique("taken");
  const body = { name, connector_type: "echo-connector" };
  await post("/v1/llm_endpoints", body);
  loseNextD1Answer();
  expect((await post("/v1/llm_endpoints", { ...body, model: "other" })).status).toBe(409);
  const externalId = unique("taken");
  await post("/clients", { name: "a", externalId });
  loseNextD1Answer();
  expect((await post("/clients", { name: "b", externalId })).status).toBe(409);
});

it("an update is written again", async () => {
  const id = await createClient();
  const statement = Object.getPrototypeOf(env.DB.prepare("select 1").bind()) as D1PreparedStatement;
  vi.spyOn(statement, "run").mockRejectedValueOnce(new Error(`D1_ERROR: ${LOST}`));
  expect((await put(`/clients/${id}`, { name: "Renamed" })).status).toBe(200);
  expect((await get(`/clients/${id}`)).body.data.name).toBe("Renamed");
});

describe("an object that is reset during a call", () => {
  const message = { message: { role: "user", content: "once" } };
  /** The object does what it is asked, or not, and the answer is lost. */
  function loseNextAnswer(method: string, isDone: boolean) {
    const getByName = env.SESSIONS.getByName.bind(env.SESSIONS);
    const reset = Object.assign(new Error("Durable Object reset because its code was updated."), { retryable: true });
    vi.spyOn(env.SESSIONS, "getByName").mockImplementationOnce((id) => {
      const stub = getByName(id);
      const lose = async (params: unknown) => {
        if (isDone) await (Reflect.get(stub, method) as (given: unknown) => Promise<unknown>)(params);
        throw reset;
      };
      return new Proxy(stub, { get: (target, name) => (name === method ? lose : Reflect.get(target, name)) });
    });
  }
  const contents = async (id: string) =>
    (await get(`/sessions/${id}`)).body.data.messages.map(({ content }: { content: string }) => content);

  it.each([true, false])("is read, and gets an append with a key once, done or not: %s", async (isDone) => {
    const id = await createSession();
    const headers = { "idempotency-key": crypto.randomUUID() };
    loseNextAnswer("append", isDone);
    expect((await post(`/sessions/message?sessionId=${id}`, message, { headers })).status).toBe(200);
    loseNextAnswer("read", isDone);
    expect(await contents(id)).toEqual(["once"]);
  });

  it("gets no second append without a key: the caller decides", async () => {
    const id = await createSession();
    loseNextAnswer("append", true);
    const { status, headers } = await post(`/sessions/message?sessionId=${id}`, message);
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await contents(id)).toEqual(["once"]);
  });

  it("is not asked to stop a second time, which could stop another turn", async () => {
    const id = await createSession();
    const { session_id: comparison } = await createComparison([await createEndpoint()]);
    loseNextAnswer("stop", true);
    expect((await post(`/sessions/${id}/stop`)).status).toBe(503);
    loseNextAnswer("cancel", true);
    expect((await post(`/v1/sessions/${comparison}/cancel`)).status).toBe(503);
  });

  it.each([true, false])("is ended, done before or not: %s", async (isDone) => {
    const id = await createSession({ title: "once" });
    await post(`/sessions/message?sessionId=${id}`, message);
    loseNextAnswer("end", isDone);
    const { status, body } = await post(`/sessions/${id}/end`);
    expect([status, body.data.status, body.data.messages.length]).toEqual([200, "COMPLETED", 1]);
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ status: "COMPLETED", endTime: body.data.endTime });
    expect((await post(`/sessions/${id}/end`)).status).toBe(404);
  });

  it.each([true, false])("is removed, done before or not: %s", async (isDone) => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, message);
    const { session_id: comparison } = await createComparison([await createEndpoint()]);
    for (const path of [`/sessions/${id}`, `/v1/sessions/${comparison}`]) {
      loseNextAnswer("remove", isDone);
      expect((await call("DELETE", path)).status).toBe(200);
      expect((await get(path)).status).toBe(404);
      expect((await call("DELETE", path)).status).toBe(404);
    }
  });

  it("ends and removes nothing but what was asked: a terminated session is not ended", async () => {
    const id = await createSession();
    await put(`/sessions/${id}`, { status: "TERMINATED" });
    loseNextAnswer("end", false);
    expect((await post(`/sessions/${id}/end`)).status).toBe(404);
  });

  it("and crashes in mid-removal: the second attempt finishes it", async () => {
    const id = await createSession();
    await post(`/sessions/message?sessionId=${id}`, message);
    const deleting = vi.spyOn(env.DB, "batch").mockImplementationOnce(() => new Promise(() => undefined));
    const removed = call("DELETE", `/sessions/${id}`);
    await vi.waitFor(() => expect(deleting).toHaveBeenCalled());
    await crash(id);
    expect((await removed).status).toBe(200);
    expect((await get(`/sessions/${id}`)).status).toBe(404);
    const rows = await env.DB.prepare("select count(*) as n from sessions where id = ?").bind(id).first("n");
    expect(rows).toBe(0);
  });

  it("and really crashes: 503, and the next call is served", async () => {
    const id = await createSession();
    const statement = Object.getPrototypeOf(env.DB.prepare("select 1").bind()) as D1PreparedStatement;
    const loading = vi.spyOn(statement, "raw").mockImplementation(() => new Promise(() => undefined));
    const appended = post(`/sessions/message?sessionId=${id}`, message);
    await vi.waitFor(() => expect(loading).toHaveBeenCalled());
    await crash(id);
    expect((await appended).status).toBe(503);
    loading.mockRestore();
    expect((await post(`/sessions/message?sessionId=${id}`, message)).status).toBe(200);
  });
});
