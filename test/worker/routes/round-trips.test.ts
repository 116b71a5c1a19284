/**
 * The budget of every route: how many round trips to D1 its answer waits for, one after another. D1 answers that many and
 * no more, so a further one fails the test, and so does one less: then this table and the guides need the better number.
 */
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { apiDocument } from "../../../src/api-docs.ts";
import { BENCHMARK_LISTS } from "../../../src/routes/moonshot-07/lists/benchmark-lists.ts";
import { ADMIN_KEY, get, post, put } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";
import { withinRoundTrips } from "../../support/round-trips.ts";
import { setVariables } from "../../support/settings.ts";

/** The time. It passes only when a test lets it: nothing gets older between the preparation and the call. */
let time = 0;

const letTimePass = (ms: number): void => void (time += ms);

/** From now on, what was read before is too old to be used without being read again. */
const letMemoryAge = (): void => letTimePass(11_000);

beforeEach(() => {
  // Not before what it was in the last test, which may still do something in the background.
  time = Math.max(time, Date.now());
  vi.spyOn(Date, "now").mockImplementation(() => time);
  setVariables({ REPLICATION_WAIT_MS: "50" });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A call, and what its answer must be. */
interface Call {
  method: string;
  path: string;
  body?: object;
  token?: string;
  headers?: Record<string, string>;
  /** The status of its answer, where that is no success. */
  status?: number;
  /** What it reads or writes in the background, besides replication. */
  background?: RegExp;
}

/** Reads the whole answer, unless that would not end. */
async function statusOf({ method, path, body, token = ADMIN_KEY, headers = {} }: Call): Promise<number> {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test${path}`, {
      method,
      headers: {
        ...(path.includes("ticket=") ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  if (/\/(ws|events)(\?|$)/.test(path)) await answer.body?.cancel();
  else await answer.arrayBuffer();
  answer.webSocket?.accept();
  answer.webSocket?.close();
  return answer.status;
}

const message = { message: { role: "user", content: "hi" } };
const messageTo = (id: string): Call => ({ method: "POST", path: `/sessions/message?sessionId=${id}`, body: message });
const chatIn = (id: string): Call => ({
  method: "POST",
  path: `/sessions/chat?sessionId=${id}`,
  body: { content: "hi" },
});
const ofSession = (method: string, id: string, path = "", body?: object): Call => ({
  method,
  path: `/sessions/${id}${path}`,
  ...(body ? { body } : {}),
});
const ofComparison = (method: string, id: string, path = "", body?: object): Call => ({
  method,
  path: `/v1/sessions/${id}${path}`,
  ...(body ? { body } : {}),
});
const aCall = (method: string, path: string, body?: object): Call => ({ method, path, ...(body ? { body } : {}) });

/** A session that its object holds, and what it refers to, read just now. */
async function heldSession(fields: Record<string, unknown> = {}): Promise<string> {
  const id = await createSession(fields);
  await post(`/sessions/message?sessionId=${id}`, message);
  letTimePass(1);
  await get(`/sessions/${id}`);
  return id;
}

/** A session that its object holds, with feedback on an answer. */
async function ratedSession(): Promise<string> {
  setVariables({ REPLICATION_WAIT_MS: "2000" });
  const id = await heldSession();
  await post(`/sessions/message?sessionId=${id}`, { message: { role: "assistant", content: "hi" } });
  await put(`/sessions/${id}/messages/2/feedback`, { rating: -1 });
  return id;
}

async function chattedSession(): Promise<string> {
  const id = await heldSession();
  await post(`/sessions/chat?sessionId=${id}`, { content: "hi" });
  return id;
}

async function heldComparison(): Promise<string> {
  const name = unique("template");
  await post("/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" });
  const { session_id: id } = await createComparison([await createEndpoint(), await createEndpoint()], {
    prompt_template: name,
  });
  letTimePass(1);
  await post(`/v1/sessions/${id}/prompt`, { prompt: "hi" });
  return id;
}

const aComparison = async () => ({ name: unique("comparison"), endpoints: [await createEndpoint()] });

async function bridgedComparison(): Promise<string> {
  const from = await chattedSession();
  const { body } = await post("/v1/sessions", { ...(await aComparison()), from_session: from });
  return body.session.session_id;
}

async function replayedComparison(): Promise<string> {
  const id = await bridgedComparison();
  letTimePass(1);
  await post(`/v1/sessions/${id}/replay`, {});
  return id;
}

async function aged(call: Call | Promise<Call>): Promise<Call> {
  const prepared = await call;
  letMemoryAge();
  return prepared;
}

const serviceKey = async (role = "service", clientId?: string): Promise<{ id: string; key: string }> =>
  (await post("/keys", { name: unique("key"), role, clientId })).body.data;

/** A key that was used just now. */
async function usedKey(role = "service", clientId?: string): Promise<string> {
  const { key } = await serviceKey(role, clientId);
  await get("/me", { token: key });
  return key;
}

const ticketFor = async (id: string): Promise<string> => (await post(`/sessions/${id}/tickets`)).body.data.ticket;
const upgrade = { upgrade: "websocket" };
const stream = { accept: "text/event-stream" };
const onceMore = () => ({ "idempotency-key": crypto.randomUUID() });

/** Of each route: how it is called, its round trips, and a call of it: by an admin unless it says otherwise. */
/** Routes of a session in Moonshot 0.7. */
const HELD_07: [route: string, roundTrips: number, body?: object][] = [
  ["GET /sessions/{id}", 0],
  ["POST /sessions/{id}/prompt", 0, { user_prompt: "hi" }],
  ["POST /sessions/{id}/cancel", 0],
  ["GET /sessions/{id}/close", 0],
  ["PUT /sessions/{id}/context-strategy/{name}/{count}", 0],
  ["PUT /sessions/{id}/system-prompt", 0, { system_prompt: "Be brief." }],
  ["DELETE /sessions/{id}/system-prompt", 0],
  ["PUT /sessions/{id}/attack-module/{name}", 0],
  ["PUT /sessions/{id}/metric/{name}", 0],
  ["DELETE /sessions/{id}/metric/{name}", 0],
];

/** Lists of Moonshot 0.7 that are the same for everybody. */
const FIXED_07 = [
  "/attack-modules",
  "/attack-modules/metadata",
  "/context-strategies",
  "/context-strategies/name",
  "/connectors",
  "/connectors/name",
  ...BENCHMARK_LISTS,
];

const in07 = (method: string, id: string, path = "", body?: object): Call => {
  const call = ofComparison(method, id, path, body);
  return { ...call, path: `/api${call.path}` };
};

async function callOf07(route: string, body?: object): Promise<Call> {
  const [method = "", path = ""] = route.split(" ");
  const rest = path.replace("/sessions/{id}", "").replace("{count}", "3");
  const name = rest.startsWith("/attack-module") ? "job_role_generator" : "chat_history";
  const call = in07(method, await heldComparison(), rest.replace("{name}", name), body);
  return route.startsWith("PUT") && route.includes("metric") ? { ...call, status: 400 } : call;
}

const BUDGET: [route: string, when: string, roundTrips: number, prepare: () => Promise<Call>][] = [
  // First: a run waits for its turn to write to D1, behind what other tests make wait.
  ["GET /v1/runs", "", 1, async () => aCall("GET", "/v1/runs")],
  ["POST /v1/runs", "", 2, async () => aCall("POST", "/v1/runs", await runBody())],
  ["GET /v1/runs/{id}", "", 1, async () => aCall("GET", `/v1/runs/${await aRun()}`)],
  ["DELETE /v1/runs/{id}", "", 2, async () => aCall("DELETE", `/v1/runs/${await aRun()}`)],
  ["GET /v1/runs/{id}/events", "", 1, async () => aCall("GET", `/v1/runs/${await aRun()}/events`)],
  ["POST /v1/runs/{id}/pause", "", 1, async () => aCall("POST", `/v1/runs/${await aRun()}/pause`)],
  ["POST /v1/runs/{id}/resume", "", 1, async () => aCall("POST", `/v1/runs/${await aRun()}/resume`)],
  ["POST /v1/runs/{id}/cancel", "", 1, async () => aCall("POST", `/v1/runs/${await aRun()}/cancel`)],
  ["POST /v1/runs/{id}/retry_errors", "", 1, async () => aCall("POST", `/v1/runs/${await aRun()}/retry_errors`)],
  ["GET /v1/runs/{id}/export", "", 1, async () => aCall("GET", `/v1/runs/${await aRun()}/export`)],
  ["GET /v1/runs/{id}/results", "", 1, async () => aCall("GET", `/v1/runs/${await aRun()}/results`)],
  ["GET /sessions", "", 2, async () => (await heldSession(), aCall("GET", "/sessions"))],
  ["POST /sessions", "chatbot used lately", 1, async () => newSession(await heldSession())],
  ["POST /sessions", "chatbot not used lately", 2, async () => aged(newSession(await heldSession()))],
  [
    "POST /sessions",
    "with an idempotency key",
    2,
    async () => ({ ...(await newSession(await heldSession())), headers: onceMore() }),
  ],
  ["GET /sessions/{id}", "held by its object", 0, async () => ofSession("GET", await heldSession())],
  [
    "GET /sessions/{id}",
    "held by its object, records not used lately",
    1,
    async () => aged(ofSession("GET", await heldSession())),
  ],
  ["GET /sessions/{id}", "in D1 only", 2, async () => ofSession("GET", await endedSession())],
  [
    "PUT /sessions/{id}",
    "held by its object",
    0,
    async () => ofSession("PUT", await heldSession(), "", { title: "b" }),
  ],
  ["POST /sessions/{id}/end", "held by its object", 0, async () => ofSession("POST", await heldSession(), "/end")],
  ["POST /sessions/{id}/stop", "held by its object", 0, async () => ofSession("POST", await heldSession(), "/stop")],
  [
    "POST /sessions/{id}/request-human",
    "held by its object",
    0,
    async () => ofSession("POST", await heldSession(), "/request-human", {}),
  ],
  [
    "POST /sessions/{id}/takeover",
    "held by its object",
    0,
    async () => ofSession("POST", await heldSession(), "/takeover", { operator: { id: "grace", name: "Grace" } }),
  ],
  [
    "POST /sessions/{id}/handback",
    "held by its object",
    0,
    async () => ofSession("POST", await heldSession(), "/handback", {}),
  ],
  [
    "POST /sessions/{id}/messages/{seq}/regenerate",
    "held by its object",
    0,
    async () => ofSession("POST", await chattedSession(), "/messages/3/regenerate", {}),
  ],
  [
    "POST /sessions/{id}/messages/{seq}/regenerate",
    "with another endpoint",
    1,
    async () =>
      ofSession("POST", await chattedSession(), "/messages/3/regenerate", { endpointId: await createEndpoint() }),
  ],
  [
    "POST /sessions/{id}/messages/{seq}/edit",
    "held by its object",
    0,
    async () => ofSession("POST", await chattedSession(), "/messages/2/edit", { content: "ho" }),
  ],
  [
    "PUT /sessions/{id}/messages/{seq}/active",
    "held by its object",
    0,
    async () => ofSession("PUT", await chattedSession(), "/messages/1/active"),
  ],
  [
    "POST /sessions/{id}/branch",
    "held by its object",
    1,
    async () => ofSession("POST", await chattedSession(), "/branch", { seq: 3 }),
  ],
  ["DELETE /sessions/{id}", "", 1, async () => ofSession("DELETE", await heldSession())],
  ["POST /sessions/message", "held by its object", 0, async () => messageTo(await heldSession())],
  [
    "POST /sessions/message",
    "with an idempotency key",
    0,
    async () => ({ ...messageTo(await heldSession()), headers: onceMore() }),
  ],
  ["POST /sessions/message", "records not used lately", 0, async () => aged(messageTo(await heldSession()))],
  ["POST /sessions/message", "first use of the session, just created", 1, async () => messageTo(await newSessionId())],
  ["POST /sessions/message", "first use of the session", 2, async () => aged(messageTo(await newSessionId()))],
  ["POST /sessions/chat", "held by its object", 0, async () => chatIn(await heldSession())],
  ["POST /sessions/chat", "as a stream", 0, async () => ({ ...chatIn(await heldSession()), headers: stream })],
  [
    "POST /sessions/chat",
    "with an idempotency key",
    0,
    async () => ({ ...chatIn(await heldSession()), headers: onceMore() }),
  ],
  ["POST /sessions/chat", "only its client not used lately", 0, chatWithOldClient],
  ["POST /sessions/chat", "records not used lately", 1, async () => aged(chatIn(await heldSession()))],
  ["POST /sessions/chat", "first use of the session, just created", 1, async () => chatIn(await newSessionId())],
  ["POST /sessions/chat", "first use of the session", 2, async () => aged(chatIn(await newSessionId()))],
  [
    "GET /sessions/{id}/messages",
    "held by its object, with the feedback on them",
    1,
    async () => ofSession("GET", await heldSession(), "/messages"),
  ],
  // The feedback is read beside the two others, and counts because it may end before the first of them begins.
  ["GET /sessions/{id}/messages", "in D1 only", 3, async () => ofSession("GET", await endedSession(), "/messages")],
  [
    "PUT /sessions/{id}/messages/{seq}/feedback",
    "held by its object",
    1,
    async () => ofSession("PUT", await ratedSession(), "/messages/2/feedback", { rating: 1 }),
  ],
  [
    "PUT /sessions/{id}/messages/{seq}/feedback",
    "in D1 only",
    3,
    async () => {
      const id = await ratedSession();
      await post(`/sessions/${id}/end`);
      await post(`/sessions/${id}/stop`);
      await get(`/sessions/${id}`);
      return ofSession("PUT", id, "/messages/2/feedback", { rating: 1 });
    },
  ],
  [
    "DELETE /sessions/{id}/messages/{seq}/feedback",
    "",
    1,
    async () => ofSession("DELETE", await ratedSession(), "/messages/2/feedback"),
  ],
  ["GET /feedback", "", 1, async () => (await ratedSession(), aCall("GET", "/feedback"))],
  ["GET /sessions/{id}/export", "held by its object", 0, async () => ofSession("GET", await heldSession(), "/export")],
  ["GET /sessions/{id}/stats", "held by its object", 0, async () => ofSession("GET", await heldSession(), "/stats")],
  ["GET /sessions/{id}/events", "", 0, async () => ofSession("GET", await heldSession(), "/events")],
  [
    "GET /sessions/{id}/events",
    "with a key",
    1,
    async () => ({ ...ofSession("GET", await heldSession(), "/events"), token: await usedKey() }),
  ],
  ["GET /sessions/{id}/events", "with an admin's ticket", 1, async () => withTicket(await heldSession(), "events")],
  ["GET /sessions/{id}/ws", "", 0, async () => ({ ...ofSession("GET", await heldSession(), "/ws"), headers: upgrade })],
  [
    "GET /sessions/{id}/ws",
    "with a key",
    1,
    async () => ({ ...ofSession("GET", await heldSession(), "/ws"), headers: upgrade, token: await usedKey() }),
  ],
  [
    "GET /sessions/{id}/ws",
    "with an admin's ticket",
    1,
    async () => ({ ...(await withTicket(await heldSession(), "ws")), headers: upgrade }),
  ],
  ["POST /sessions/{id}/tickets", "", 2, async () => ofSession("POST", await heldSession(), "/tickets")],

  ["GET /chatbots", "", 1, async () => aCall("GET", "/chatbots")],
  ["POST /chatbots", "", 2, async () => aCall("POST", "/chatbots", { name: "b", endpointId: await createEndpoint() })],
  ["GET /chatbots/{id}", "", 1, async () => aCall("GET", `/chatbots/${await createChatbot()}`)],
  ["GET /chatbots/{id}/stats", "", 1, async () => aCall("GET", `/chatbots/${await createChatbot()}/stats`)],
  ["PUT /chatbots/{id}", "", 2, async () => aCall("PUT", `/chatbots/${await createChatbot()}`, { name: "c" })],
  [
    "PUT /chatbots/{id}",
    "of its endpoint or its params",
    3,
    async () => aCall("PUT", `/chatbots/${await createChatbot()}`, { endpointId: await createEndpoint() }),
  ],
  ["DELETE /chatbots/{id}", "", 1, async () => aCall("DELETE", `/chatbots/${await createChatbot()}`)],
  ["GET /clients", "", 1, async () => aCall("GET", "/clients")],
  ["POST /clients", "", 1, async () => aCall("POST", "/clients", { name: "c" })],
  ["GET /clients/{id}", "", 1, async () => aCall("GET", `/clients/${await createClient()}`)],
  ["GET /clients/{id}/stats", "", 1, async () => aCall("GET", `/clients/${await createClient()}/stats`)],
  ["PUT /clients/{id}", "", 2, async () => aCall("PUT", `/clients/${await createClient()}`, { name: "d" })],
  [
    "PUT /clients/{lookup}/{externalId}",
    "",
    1,
    async () => aCall("PUT", `/clients/by-external-id/${crypto.randomUUID()}`, { name: "d" }),
  ],
  [
    "DELETE /clients/{id}",
    "",
    1,
    async () => ({ ...aCall("DELETE", `/clients/${await createClient()}`), background: /"subscriptions"/ }),
  ],
  ["GET /keys", "", 1, async () => aCall("GET", "/keys")],
  ["POST /keys", "", 1, async () => aCall("POST", "/keys", { name: "k", role: "service" })],
  [
    "POST /keys",
    "for a client",
    2,
    async () => aCall("POST", "/keys", { name: "k", role: "client", clientId: await createClient() }),
  ],
  [
    "DELETE /keys/{id}",
    "",
    1,
    async () => ({ ...aCall("DELETE", `/keys/${(await serviceKey()).id}`), background: /"subscriptions"/ }),
  ],

  ["GET /v1/sessions", "", 1, async () => aCall("GET", "/v1/sessions")],
  [
    "POST /v1/sessions",
    "",
    2,
    async () => aCall("POST", "/v1/sessions", { name: unique("c"), endpoints: [await createEndpoint()] }),
  ],
  [
    "GET /v1/sessions/{id}",
    "held by its object",
    0,
    async () => ofComparison("GET", await heldComparison(), "?include_history=1"),
  ],
  ["DELETE /v1/sessions/{id}", "", 1, async () => ofComparison("DELETE", await heldComparison())],
  [
    "POST /v1/sessions/{id}/prompt",
    "held by its object",
    0,
    async () => ofComparison("POST", await heldComparison(), "/prompt", { prompt: "hi" }),
  ],
  [
    "POST /v1/sessions/{id}/prompt",
    "as a stream",
    0,
    async () => ({ ...ofComparison("POST", await heldComparison(), "/prompt", { prompt: "hi" }), headers: stream }),
  ],
  [
    "POST /v1/sessions/{id}/prompt",
    "records not used lately",
    1,
    async () => aged(ofComparison("POST", await heldComparison(), "/prompt", { prompt: "hi" })),
  ],
  [
    "POST /v1/sessions",
    "from a chat session that its object holds",
    3,
    async () => aCall("POST", "/v1/sessions", { ...(await aComparison()), from_session: await chattedSession() }),
  ],
  [
    "POST /v1/sessions/{id}/replay",
    "not held by its object yet",
    2,
    async () => ({
      ...ofComparison("POST", await bridgedComparison(), "/replay", {}),
      background: /from "endpoints"/,
    }),
  ],
  [
    "POST /v1/sessions/{id}/replay",
    "held by its object",
    0,
    async () => ofComparison("POST", await replayedComparison(), "/replay", {}),
  ],
  [
    "POST /v1/sessions/{id}/adopt",
    "both held by their objects",
    0,
    async () => {
      const id = await replayedComparison();
      const { chat_ids: chatIds } = (await get(`/v1/sessions/${id}`)).body.session;
      return ofComparison("POST", id, "/adopt", { chat_id: chatIds[1], chat_record_id: 1 });
    },
  ],
  [
    "POST /v1/sessions/{id}/cancel",
    "held by its object",
    0,
    async () => ofComparison("POST", await heldComparison(), "/cancel"),
  ],
  ["GET /v1/sessions/{id}/events", "", 0, async () => ofComparison("GET", await heldComparison(), "/events")],
  [
    "GET /v1/sessions/{id}/ws",
    "",
    0,
    async () => ({ ...ofComparison("GET", await heldComparison(), "/ws"), headers: upgrade }),
  ],
  ["POST /v1/sessions/{id}/tickets", "", 2, async () => ofComparison("POST", await heldComparison(), "/tickets")],
  [
    "GET /v1/sessions/{id}/export",
    "held by its object",
    0,
    async () => ofComparison("GET", await heldComparison(), "/export"),
  ],
  [
    "GET /v1/sessions/{id}/stats",
    "held by its object",
    0,
    async () => ofComparison("GET", await heldComparison(), "/stats"),
  ],
  [
    "PUT /v1/sessions/{id}/prompt_templates/{name}",
    "",
    1,
    async () => ofComparison("PUT", await heldComparison(), `/prompt_templates/${await aTemplate()}`),
  ],
  ["DELETE /v1/sessions/{id}/prompt_templates/{name}", "held by its object", 0, withTemplate],
  [
    "PUT /v1/sessions/{id}/context_strategies/{name}",
    "held by its object",
    0,
    async () => ofComparison("PUT", await heldComparison(), "/context_strategies/chat_history"),
  ],
  ["DELETE /v1/sessions/{id}/context_strategies/{name}", "held by its object", 0, withStrategy],
  ["GET /v1/prompt_templates", "", 1, async () => aCall("GET", "/v1/prompt_templates")],
  [
    "POST /v1/prompt_templates",
    "",
    1,
    async () => aCall("POST", "/v1/prompt_templates", { name: unique("t"), description: "", template: "{{ prompt }}" }),
  ],
  [
    "DELETE /v1/prompt_templates/{name}",
    "",
    1,
    async () => aCall("DELETE", `/v1/prompt_templates/${await aTemplate()}`),
  ],
  ["GET /v1/context_strategies", "", 0, async () => aCall("GET", "/v1/context_strategies")],
  ["GET /v1/connectors", "", 0, async () => aCall("GET", "/v1/connectors")],
  ["GET /v1/llm_endpoints", "", 1, async () => aCall("GET", "/v1/llm_endpoints")],
  [
    "POST /v1/llm_endpoints",
    "",
    1,
    async () => aCall("POST", "/v1/llm_endpoints", { name: unique("e"), connector_type: "echo-connector" }),
  ],
  ["GET /v1/llm_endpoints/{id}", "", 1, async () => aCall("GET", `/v1/llm_endpoints/${await createEndpoint()}`)],
  [
    "PUT /v1/llm_endpoints/{id}",
    "",
    2,
    async () => aCall("PUT", `/v1/llm_endpoints/${await createEndpoint()}`, { model: "m" }),
  ],
  ["DELETE /v1/llm_endpoints/{id}", "", 1, async () => aCall("DELETE", `/v1/llm_endpoints/${await createEndpoint()}`)],
  [
    "POST /v1/llm_endpoints/{id}/test",
    "",
    1,
    async () => aCall("POST", `/v1/llm_endpoints/${await createEndpoint()}/test`),
  ],

  [
    "PUT /v1/sessions/{id}/system_prompt",
    "held by its object",
    0,
    async () => ofComparison("PUT", await heldComparison(), "/system_prompt", { system_prompt: "Be brief." }),
  ],
  [
    "DELETE /v1/sessions/{id}/system_prompt",
    "held by its object",
    0,
    async () => ofComparison("DELETE", await heldComparison(), "/system_prompt"),
  ],

  ["GET /api/v1/sessions", "", 1, async () => aCall("GET", "/api/v1/sessions")],
  ["GET /api/v1/sessions/name", "", 1, async () => aCall("GET", "/api/v1/sessions/name")],
  [
    "POST /api/v1/sessions",
    "",
    2,
    async () => aCall("POST", "/api/v1/sessions", { name: unique("c"), endpoints: [await createEndpoint()] }),
  ],
  ["DELETE /api/v1/sessions/{id}", "", 1, async () => in07("DELETE", await heldComparison())],
  ...HELD_07.map(([route, roundTrips, body]): (typeof BUDGET)[number] => [
    route.replace("/sessions", "/api/v1/sessions"),
    "held by its object",
    roundTrips,
    () => callOf07(route, body),
  ]),
  [
    "PUT /api/v1/sessions/{id}/prompt-template/{name}",
    "",
    1,
    async () => in07("PUT", await heldComparison(), `/prompt-template/${await aTemplate()}`),
  ],
  [
    "DELETE /api/v1/sessions/{id}/prompt-template/{name}",
    "held by its object",
    0,
    async () => {
      const call = await withTemplate();
      return { ...call, path: `/api${call.path.replace("prompt_templates", "prompt-template")}` };
    },
  ],
  [
    "DELETE /api/v1/sessions/{id}/context-strategy/{name}/{count}",
    "held by its object",
    0,
    async () => {
      const call = await withStrategy();
      return { ...call, path: `/api${call.path.replace("context_strategies", "context-strategy")}/5` };
    },
  ],
  [
    "DELETE /api/v1/sessions/{id}/attack-module/{name}",
    "held by its object",
    0,
    async () => {
      const id = await heldComparison();
      await put(`/api/v1/sessions/${id}/attack-module/job_role_generator`);
      return in07("DELETE", id, "/attack-module/job_role_generator");
    },
  ],
  ["GET /api/v1/llm-endpoints", "", 1, async () => aCall("GET", "/api/v1/llm-endpoints")],
  ["GET /api/v1/llm-endpoints/name", "", 1, async () => aCall("GET", "/api/v1/llm-endpoints/name")],
  [
    "POST /api/v1/llm-endpoints",
    "",
    1,
    async () => aCall("POST", "/api/v1/llm-endpoints", { name: unique("e"), connector_type: "echo-connector" }),
  ],
  [
    "GET /api/v1/llm-endpoints/{id}",
    "",
    1,
    async () => aCall("GET", `/api/v1/llm-endpoints/${await createEndpoint()}`),
  ],
  [
    "PUT /api/v1/llm-endpoints/{id}",
    "",
    2,
    async () => aCall("PUT", `/api/v1/llm-endpoints/${await createEndpoint()}`, { model: "m" }),
  ],
  [
    "DELETE /api/v1/llm-endpoints/{id}",
    "",
    1,
    async () => aCall("DELETE", `/api/v1/llm-endpoints/${await createEndpoint()}`),
  ],
  ["GET /api/v1/prompt-templates", "", 1, async () => aCall("GET", "/api/v1/prompt-templates")],
  ["GET /api/v1/prompt-templates/name", "", 1, async () => aCall("GET", "/api/v1/prompt-templates/name")],
  [
    "DELETE /api/v1/prompt-templates/{name}",
    "",
    1,
    async () => aCall("DELETE", `/api/v1/prompt-templates/${await aTemplate()}`),
  ],
  ["GET /v1/bookmarks", "", 1, async () => aCall("GET", "/v1/bookmarks")],
  ["POST /v1/bookmarks", "held by its object", 1, async () => aCall("POST", "/v1/bookmarks", await aRecord())],
  ["GET /v1/bookmarks/{name}", "", 1, async () => aCall("GET", `/v1/bookmarks/${await aBookmark()}`)],
  ["DELETE /v1/bookmarks/{name}", "", 1, async () => aCall("DELETE", `/v1/bookmarks/${await aBookmark()}`)],
  ["GET /api/v1/benchmarks/status", "", 0, async () => aCall("GET", "/api/v1/benchmarks/status")],
  ["GET /api/v1/bookmarks", "", 1, async () => aCall("GET", "/api/v1/bookmarks")],
  ["POST /api/v1/bookmarks", "", 1, async () => aCall("POST", "/api/v1/bookmarks", { name: unique("b"), ...TEXTS })],
  ["DELETE /api/v1/bookmarks", "", 1, async () => aCall("DELETE", `/api/v1/bookmarks?name=${await aBookmark()}`)],
  ["DELETE /api/v1/bookmarks", "all", 1, async () => aCall("DELETE", "/api/v1/bookmarks?all=true")],
  ["GET /api/v1/bookmarks/name", "", 1, async () => aCall("GET", "/api/v1/bookmarks/name")],
  ["GET /api/v1/bookmarks/export", "", 1, async () => aCall("GET", "/api/v1/bookmarks/export")],
  ...FIXED_07.map((path): (typeof BUDGET)[number] => [
    `GET /api/v1${path}`,
    "",
    0,
    async () => aCall("GET", `/api/v1${path}`),
  ]),

  ["GET /me", "", 0, async () => aCall("GET", "/me")],
  [
    "GET /me",
    "with a key used within 30 seconds",
    0,
    async () => ({ ...(await aged(aCall("GET", "/me"))), token: await usedKey() }),
  ],
  [
    "GET /me",
    "with a key not used lately",
    1,
    async () => ({ ...aCall("GET", "/me"), token: (await serviceKey()).key, background: /^update "keys"/ }),
  ],
  [
    "GET /me",
    "with a client's JWT",
    1,
    async () => ({ ...aCall("GET", "/me"), token: await signClientToken(await createClient()) }),
  ],
  ["GET /sessions/{id}", "by its client, with a JWT", 0, async () => byClient("jwt", true)],
  ["GET /sessions/{id}", "by its client, with a JWT, for the first time", 1, async () => byClient("jwt", false)],
  ["POST /sessions/{id}/stop", "by its client, with a JWT, 16 seconds later", 0, async () => later(16_000)],
  ["POST /sessions/{id}/stop", "by its client, with a JWT, 30 seconds later", 1, async () => later(30_000)],
  ["POST /sessions/chat", "by its client, with a key", 0, async () => chatByClient("key")],
  ["POST /sessions/chat", "by its client, with a JWT", 0, async () => chatByClient("jwt")],
  ["GET /openai/v1/models", "", 1, async () => aCall("GET", "/openai/v1/models")],
  ["GET /openai/v1/models/{id}", "of an endpoint", 1, async () => aged(aModel("", await createEndpoint()))],
  ["GET /openai/v1/models/{id}", "used lately", 0, async () => usedLately(aModel("", await createEndpoint()))],
  ["GET /openai/v1/models/{id}", "of a chatbot", 1, async () => aged(aModel("chatbot:", await createChatbot()))],
  ["POST /openai/v1/chat/completions", "not used lately", 1, async () => aged(completion(await createEndpoint()))],
  ["POST /openai/v1/chat/completions", "used lately", 0, async () => usedLately(completion(await createEndpoint()))],
  [
    "POST /openai/v1/chat/completions",
    "with a chatbot that was used lately",
    0,
    async () => usedLately(completion(`chatbot:${await createChatbot()}`)),
  ],
  [
    "POST /openai/v1/responses",
    "not stored, used lately",
    0,
    async () => usedLately(aResponse(await createEndpoint(), { store: false })),
  ],
  ["POST /openai/v1/responses", "in a session that its object holds", 0, async () => responseIn(await heldSession())],
  ["POST /openai/v1/responses", "in a new session", 3, async () => responseIn(await heldSession(), true)],
  [
    "POST /openai/v1/chat/completions",
    "in a session that its object holds",
    0,
    async () => completionIn(await heldSession()),
  ],
  [
    "POST /openai/v1/chat/completions",
    "in a session, as a stream",
    0,
    async () => completionIn(await heldSession(), { stream: true }),
  ],
  ["GET /openai/v1/responses/{id}", "held by its object", 0, async () => storedResponse("GET", "")],
  ["DELETE /openai/v1/responses/{id}", "held by its object", 0, async () => storedResponse("DELETE", "")],
  ["POST /openai/v1/responses/{id}/cancel", "held by its object", 0, async () => storedResponse("POST", "/cancel")],
  ["POST /ui/chat", "", 0, async () => uiMessageIn(await heldSession())],
  ["POST /ui/chat", "not used lately", 1, async () => aged(uiMessageIn(await heldSession()))],
  ["GET /ui/chat/{id}", "held by its object", 0, async () => aCall("GET", `/ui/chat/${await heldSession()}`)],
  ["GET /ui/chat/{id}", "in D1 only", 2, async () => aCall("GET", `/ui/chat/${await endedSession()}`)],
  ["GET /ui/chat/{id}/stream", "", 0, async () => aCall("GET", `/ui/chat/${await heldSession()}/stream`)],
  ["GET /healthz", "", 0, async () => aCall("GET", "/healthz")],
  ["GET /healthz", "deep", 1, async () => aCall("GET", "/healthz?deep=1")],
  ["GET /openapi.json", "", 0, async () => aCall("GET", "/openapi.json")],
  ["GET /", "", 0, async () => aCall("GET", "/")],
];

const uiMessageIn = (id: string): Call =>
  aCall("POST", "/ui/chat", {
    id,
    messages: [{ id: "one", role: "user", parts: [{ type: "text", text: "hi" }] }],
    trigger: "submit-message",
  });

const aModel = (prefix: string, id: string): Call => aCall("GET", `/openai/v1/models/${prefix}${id}`);

const completion = (model: string): Call =>
  aCall("POST", "/openai/v1/chat/completions", { model, messages: [{ role: "user", content: "hi" }] });

const aResponse = (model: string, fields: object): Call =>
  aCall("POST", "/openai/v1/responses", { model, input: "hi", ...fields });

const modelOf = async (id: string): Promise<string> =>
  `chatbot:${(await get(`/sessions/${id}`)).body.data.chatbotId.id}`;

async function responseIn(id: string, isNew = false): Promise<Call> {
  const { clientId } = (await get(`/sessions/${id}`)).body.data;
  return aResponse(await modelOf(id), isNew ? { metadata: { client_id: clientId.id } } : { conversation: id });
}

async function completionIn(id: string, fields: object = {}): Promise<Call> {
  const { method, path, body } = completion(await modelOf(id));
  return { method, path, body: { ...body, ...fields }, headers: { "x-parley-session": id } };
}

async function storedResponse(method: string, path: string): Promise<Call> {
  const call = await responseIn(await heldSession());
  const { body } = await post(call.path, call.body);
  return aCall(method, `${call.path}/${body.id}${path}`);
}

async function usedLately(call: Call): Promise<Call> {
  letTimePass(1);
  await statusOf(call);
  return call;
}

/** A session that was just created, of a chatbot and a client that were not. */
async function newSessionId(): Promise<string> {
  const references = { chatbotId: await createChatbot(), clientId: await createClient() };
  letTimePass(1);
  return createSession(references);
}

/** A session with the chatbot and the client of another. */
async function newSession(like: string): Promise<Call> {
  const { chatbotId, clientId } = (await get(`/sessions/${like}`)).body.data;
  return aCall("POST", "/sessions", { chatbotId: chatbotId.id, clientId: clientId.id });
}

/** A session that has ended and left its object. */
async function endedSession(): Promise<string> {
  setVariables({ REPLICATION_WAIT_MS: "2000" });
  const id = await heldSession();
  await post(`/sessions/${id}/end`);
  await post(`/sessions/${id}/stop`);
  await get(`/sessions/${id}`);
  return id;
}

/** Other sessions of its chatbot are in use, but its own client was not read lately. */
async function chatWithOldClient(): Promise<Call> {
  const chatbotId = await createChatbot();
  const id = await heldSession({ chatbotId });
  letMemoryAge();
  await heldSession({ chatbotId });
  return { ...chatIn(id), background: /from \(select 1\) left join "chatbots"/ };
}

async function withTicket(id: string, path: string): Promise<Call> {
  return ofSession("GET", id, `/${path}?ticket=${await ticketFor(id)}`);
}

const TEXTS = { prompt: "p", prepared_prompt: "p", response: "r" };

async function aBookmark(): Promise<string> {
  const name = `bookmark-${crypto.randomUUID()}`;
  await post("/api/v1/bookmarks", { name, ...TEXTS });
  return name;
}

/** A bookmark to be, of a record in a session that its object holds. */
async function aRecord(): Promise<object> {
  const id = await heldComparison();
  const [chatId] = (await get(`/v1/sessions/${id}`)).body.session.chat_ids;
  return { name: unique("b"), session_id: id, chat_id: chatId, chat_record_id: 1 };
}

async function aTemplate(): Promise<string> {
  const name = `template-${crypto.randomUUID()}`;
  await post("/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" });
  return name;
}

async function withTemplate(): Promise<Call> {
  const [id, name] = [await heldComparison(), await aTemplate()];
  await put(`/v1/sessions/${id}/prompt_templates/${name}`);
  return ofComparison("DELETE", id, `/prompt_templates/${name}`);
}

async function withStrategy(): Promise<Call> {
  const id = await heldComparison();
  await put(`/v1/sessions/${id}/context_strategies/chat_history`);
  return ofComparison("DELETE", id, "/context_strategies/chat_history");
}

async function byClient(kind: "key" | "jwt", isKnown: boolean): Promise<Call & { id: string }> {
  const clientId = await createClient();
  const id = await heldSession({ clientId });
  const token = kind === "jwt" ? await signClientToken(clientId) : await usedKey("client", clientId);
  await get("/me", { token });
  if (isKnown) await get(`/sessions/${id}`, { token });
  return { ...ofSession("GET", id), token, id };
}

async function later(ms: number): Promise<Call> {
  const { id, token = "" } = await byClient("jwt", true);
  letTimePass(ms);
  return { ...ofSession("POST", id, "/stop"), token, background: /from "sessions" inner join "clients"/ };
}

async function chatByClient(kind: "key" | "jwt"): Promise<Call> {
  const { id, token = "" } = await byClient(kind, true);
  return { ...chatIn(id), token };
}

/** Replication, and what earlier deletions and runs still do. */
const OF_OTHERS = /^(insert into messages|update "sessions"|update "runs"|delete from "revocations")/i;

it.each(BUDGET)("%s %s waits for %i round trips", async (_, __, roundTrips, prepare) => {
  const call = await prepare();
  const { answer, made, held } = await withinRoundTrips(roundTrips, () => statusOf(call));
  expect(answer < 400 ? 200 : answer).toBe(call.status ?? 200);
  expect(made).toBe(roundTrips);
  // Where D1 is slow an answer gives up waiting, and then it has waited.
  expect(held.filter((sql) => !OF_OTHERS.test(sql) && !call.background?.test(sql))).toEqual([]);
});

it("every route has its budget", () => {
  const routes = Object.entries(apiDocument["paths"] as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.filter((route) => !BUDGET.some(([known]) => known === route))).toEqual([]);
});

const runBody = async () => ({ name: unique("r"), endpoints: [await createEndpoint()], items: [{ prompt: "p" }] });

/** A run that has ended, so that no query of its own is counted. */
async function aRun(): Promise<string> {
  const { run_id: id } = (await post("/v1/runs", await runBody())).body.run;
  while ((await get(`/v1/runs/${id}`)).body.run.status === "running") await scheduler.wait(20);
  return id;
}
