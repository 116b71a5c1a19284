/** Deletions whose answer D1 loses: they are done once, and leave nothing half done. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { del, get, post } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import { loseD1Answers } from "../../support/faults.ts";
import { connect } from "../../support/follow.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";

let lines: unknown[] = [];

beforeEach(() => {
  lines = [];
  vi.spyOn(console, "info").mockImplementation((line) => void lines.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function createTemplate(): Promise<string> {
  const name = unique("template");
  await post("/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" });
  return name;
}

const createKey = async () => (await post("/keys", { name: "k", role: "service" })).body.data as KeyWithToken;

interface KeyWithToken {
  id: string;
  key: string;
}

const RESOURCES: [name: string, event: string, create: () => Promise<string>, path: string][] = [
  ["a key", "key-revoked", async () => (await createKey()).id, "/keys"],
  ["a client", "client-deleted", createClient, "/clients"],
  ["a chatbot", "chatbot-deleted", createChatbot, "/chatbots"],
  ["an endpoint", "endpoint-deleted", createEndpoint, "/v1/llm_endpoints"],
  ["a template", "prompt-template-deleted", createTemplate, "/v1/prompt_templates"],
];

describe.each(RESOURCES)("%s", (_, event, create, path) => {
  const auditLines = () => lines.filter((line) => (line as { event: string }).event === event);

  it.each([true, false])("is deleted when the answer was lost, done or not: %s", async (isDone) => {
    const id = await create();
    loseD1Answers(1, isDone);
    expect((await del(`${path}/${id}`)).status).toBe(200);
    expect(auditLines()).toEqual([expect.objectContaining({ event })]);
    vi.restoreAllMocks();
    expect((await del(`${path}/${id}`)).status).toBe(404);
  });

  it("has an audit line when two answers were lost", async () => {
    const id = await create();
    loseD1Answers(2, true);
    expect((await del(`${path}/${id}`)).status).toBe(503);
    expect(auditLines()).toEqual([expect.objectContaining({ event, outcome: "unknown" })]);
    expect((await del(`${path}/${id}`)).status).toBe(404);
  });
});

it("what is in use is not deleted after a lost answer either", async () => {
  const endpointId = await createEndpoint();
  const [chatbotId, clientId] = [await createChatbot({ endpointId }), await createClient()];
  await createSession({ chatbotId, clientId });
  const template = await createTemplate();
  await createComparison([endpointId], { prompt_template: template });
  for (const path of [
    `/v1/llm_endpoints/${endpointId}`,
    `/chatbots/${chatbotId}`,
    `/clients/${clientId}`,
    `/v1/prompt_templates/${template}`,
  ]) {
    loseD1Answers(1, true);
    expect([path, (await del(path)).status]).toEqual([path, 409]);
    vi.restoreAllMocks();
  }
});

it.each([1, 2])("a key whose revocation lost %i answers is unknown at once, and its socket closes", async (count) => {
  const [sessionId, { id, key: token }] = [await createSession(), await createKey()];
  const socket = await connect(`/sessions/${sessionId}/ws`, { token });
  await socket.next("session-snapshot");
  loseD1Answers(count, true);
  expect((await del(`/keys/${id}`)).status).toBe(count === 1 ? 200 : 503);
  expect((await get("/sessions", { token })).status).toBe(401);
  await socket.until(({ closed }) => closed !== null);
  expect(socket.closed).toMatchObject({ code: 4401 });
});

it("a repeated revocation closes what the first one could not", async () => {
  const [sessionId, { id, key: token }] = [await createSession(), await createKey()];
  const socket = await connect(`/sessions/${sessionId}/ws`, { token });
  await socket.next("session-snapshot");
  // As another isolate leaves it that revokes the key and ends there.
  await env.DB.prepare("delete from keys where id = ?").bind(id).run();
  expect((await del(`/keys/${id}`)).status).toBe(404);
  await socket.until(({ closed }) => closed !== null);
  expect(socket.closed).toMatchObject({ code: 4401 });
});

describe("a client", () => {
  /** A client with sockets to its session, by an API key and by a JWT. D1 has the session as ended, so the client can be deleted. */
  async function createFollower() {
    const clientId = await createClient();
    const sessionId = await createSession({ clientId });
    const { key } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
    const tokens = [String(key), await signClientToken(clientId)];
    const sockets = await Promise.all(tokens.map((token) => connect(`/sessions/${sessionId}/ws`, { token })));
    for (const socket of sockets) await socket.next("session-snapshot");
    return { clientId, sessionId, tokens, sockets };
  }

  const setStatus = (id: string, status: string) =>
    env.DB.prepare("update sessions set status = ? where id = ?").bind(status, id).run();

  it("whose deletion lost its answer finds nothing at once, and what it has open closes", async () => {
    const { clientId, sessionId, tokens, sockets } = await createFollower();
    await setStatus(sessionId, "COMPLETED");
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      await batch(statements);
      // The session is opened again before the second attempt.
      await setStatus(sessionId, "ACTIVE");
      throw new Error("D1_ERROR: Network connection lost.");
    });
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    expect(lines).toContainEqual(expect.objectContaining({ event: "client-deleted", clientId, revokedKeys: null }));
    for (const [index, token] of tokens.entries())
      expect((await get(`/sessions/${sessionId}`, { token })).status).toBe([401, 404][index]);
    for (const socket of sockets) {
      await socket.until(({ closed }) => closed !== null);
      expect(socket.closed).toMatchObject({ code: 4401 });
    }
  });

  it("whose deletion lost two answers finds nothing where it was deleted", async () => {
    const { clientId, sessionId, tokens } = await createFollower();
    await setStatus(sessionId, "COMPLETED");
    loseD1Answers(2, true);
    expect((await del(`/clients/${clientId}`)).status).toBe(503);
    for (const [index, token] of tokens.entries())
      expect((await get(`/sessions/${sessionId}`, { token })).status).toBe([401, 404][index]);
  });
});
