/** The client's calls: failures, repeats and tokens, against a Worker in workerd. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Comparisons, Connection, ParleyClient, ParleyError, Sessions } from "../../../src/client/index.ts";
import { CuttingProxy } from "../../support/cutting-proxy.node.ts";
import { buildBundle, startWorkerd } from "../../support/releases.node.ts";
import type { Workerd } from "../../support/releases.node.ts";

const ADMIN_KEY = "an-admin-key-for-calls-of-the-client";

let workerd: Workerd;
let parley: ParleyClient;
let chatbotId: string;
let clientId: string;

beforeAll(async () => {
  const bundle = await buildBundle();
  workerd = await startWorkerd(bundle, bundle, { ADMIN_KEY });
  parley = new ParleyClient({ url: `${workerd.url.origin}/`, token: ADMIN_KEY });
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
  chatbotId = (await parley.chatbots.create({ name: "Echo", endpointId: "echo" })).id;
  clientId = (await parley.clients.create({ name: "Ada" })).id;
});

afterAll(() => workerd.stop());

const createSession = async (): Promise<string> => (await parley.sessions.create({ chatbotId, clientId })).id;

const failureOf = async (call: Promise<unknown>): Promise<ParleyError> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParleyError);
  return error as ParleyError;
};

describe("a call that fails has the code of its reason", () => {
  it("in the Session API", async () => {
    const id = await createSession();
    const missing = await failureOf(parley.sessions.get("65f3a1b2c4d5e6f708192a3d"));
    expect(missing).toMatchObject({ status: 404, code: "not_found", requestId: expect.any(String) });
    const invalid = await failureOf(parley.sessions.chat(id, { content: " " }));
    expect(invalid).toMatchObject({ status: 400, code: "invalid_input" });
    expect(invalid.details).toEqual([{ path: "content", message: expect.any(String) }]);
    await parley.sessions.chat(id, { content: "Hello" });
    const moved = await failureOf(parley.sessions.chat(id, { content: "Hello", expectedSeq: 1 }));
    expect(moved).toMatchObject({ status: 409, code: "session_moved_on", lastSeq: 2 });
  });

  it("in /v1, where it is made from the status", async () => {
    const missing = await failureOf(parley.comparisons.create({ name: "x", endpoints: ["nobody"] }));
    expect(missing).toMatchObject({ status: 404, code: "not_found" });
    expect(missing.message).toContain("nobody");
    const invalid = await failureOf(parley.comparisons.create({ name: "", endpoints: [] }));
    expect(invalid).toMatchObject({ status: 422, code: "invalid_input" });
    expect(invalid.details.map(({ path }) => path)).toEqual(["name", "endpoints"]);
    const taken = await failureOf(parley.endpoints.create({ name: "echo", connector_type: "echo-connector" }));
    expect(taken).toMatchObject({ status: 409, code: "conflict" });
  });

  it("without a server, too, and after the last repeat", async () => {
    const nobody = new ParleyClient({ url: "http://127.0.0.1:9", token: "t" });
    expect(await failureOf(nobody.sessions.list({}, { retries: 1 }))).toMatchObject({
      status: 0,
      code: "connection_failed",
    });
  });

  it("and one that is aborted throws the reason of its signal", async () => {
    const reason = new Error("Enough");
    await expect(parley.me({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a call whose answer is lost is made again, and done once", () => {
  let proxy: CuttingProxy;
  let cut: ParleyClient;

  beforeEach(async () => {
    proxy = new CuttingProxy(workerd.url);
    cut = new ParleyClient({ url: await proxy.start(), token: ADMIN_KEY });
    return () => proxy.stop();
  });

  it("creating, appending, chatting, deleting", async () => {
    const title = "Created once";
    proxy.cutBehind("HTTP/1.1");
    const { id } = await cut.sessions.create({ chatbotId, clientId, title });
    expect((await parley.sessions.list({ searchString: title })).results).toHaveLength(1);
    proxy.cutBehind("HTTP/1.1 2");
    await cut.sessions.addMessage(id, { message: { role: "user", content: "Appended once" } });
    proxy.cutBehind("HTTP/1.1", '"content":"');
    expect(await cut.sessions.chat(id, { content: "Asked once" })).toMatchObject({ content: "Asked once" });
    const { messages } = await parley.sessions.messages(id);
    expect(messages.map(({ content }) => content)).toEqual(["Appended once", "Asked once", "Asked once"]);
    proxy.cutBehind("HTTP/1.1");
    await cut.sessions.delete(id);
    expect(await failureOf(parley.sessions.get(id))).toMatchObject({ code: "not_found" });
    expect(proxy.cuts).toBe(5);
  });

  it("a prompt to several endpoints", async () => {
    const { session_id: id } = await parley.comparisons.create({ name: "Once", endpoints: ["echo", "echo"] });
    proxy.cutBehind("HTTP/1.1");
    const { records } = await cut.comparisons.prompt(id, { prompt: "Put once" });
    expect(Object.values(records).map(({ length }) => length)).toEqual([1, 1]);
  });

  it("but not one that would be done twice: a key", async () => {
    proxy.cutBehind("HTTP/1.1");
    expect(await failureOf(cut.keys.create({ name: "once", role: "service" }))).toMatchObject({
      code: "connection_failed",
    });
    expect((await parley.keys.list()).filter(({ name }) => name === "once")).toHaveLength(1);
  });
});

/** A gateway that answers the first calls itself, and passes on the others. */
async function startGateway(refusals: { status: number; headers?: Record<string, string>; body: string }[]) {
  const keys: (string | undefined)[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const answer = await fetch(new URL(request.url ?? "", workerd.url), {
      method: request.method ?? "GET",
      headers: { authorization: request.headers.authorization ?? "", "content-type": "application/json" },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  };
  const server: Server = createServer((request, response) => {
    keys.push(request.headers["idempotency-key"] as string | undefined);
    const refusal = refusals.shift();
    if (refusal) response.writeHead(refusal.status, refusal.headers).end(refusal.body);
    else void pass(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, server };
}

const UNAVAILABLE = { success: false, message: "Later", error: { code: "unavailable", requestId: "r" } };
const json = (body: unknown) => JSON.stringify(body);

describe("a refusal that passes", () => {
  it.each([
    ["503 of the server", { status: 503, headers: { "retry-after": "1" }, body: json(UNAVAILABLE) }],
    ["429", { status: 429, headers: { "retry-after": "1" }, body: json({ detail: "Too many calls" }) }],
    ["502 of a proxy", { status: 502, body: "<html>Bad gateway</html>" }],
  ])("%s is waited for, and the call is made again under its key", async (_, refusal) => {
    const gateway = await startGateway([refusal, refusal]);
    const client = new ParleyClient({ url: gateway.url, token: ADMIN_KEY });
    await client.clients.create({ name: "Ada" });
    expect(gateway.keys).toHaveLength(3);
    expect(new Set(gateway.keys).size).toBe(1);
    expect(gateway.keys[0]).toMatch(/^[0-9a-f]{32}$/);
    gateway.server.close();
  });

  it("is not waited for when it is a failure of the endpoint, a wrong setting or a long wait, or without a token", async () => {
    const failed = { ...UNAVAILABLE, error: { code: "provider_error", requestId: "r" } };
    const wrong = { ...UNAVAILABLE, error: { code: "misconfigured", requestId: "r" } };
    const gateway = await startGateway([
      { status: 502, body: json(failed) },
      { status: 503, body: json(wrong) },
      { status: 503, headers: { "retry-after": "3600" }, body: json(UNAVAILABLE) },
      { status: 503, body: json(UNAVAILABLE) },
    ]);
    const client = new ParleyClient({ url: gateway.url, token: ADMIN_KEY });
    expect(await failureOf(client.clients.create({ name: "Ada" }))).toMatchObject({ code: "provider_error" });
    expect(await failureOf(client.clients.create({ name: "Ada" }))).toMatchObject({ code: "misconfigured" });
    const long = await failureOf(client.clients.create({ name: "Ada" }));
    expect(long).toMatchObject({ code: "unavailable", retryAfterSeconds: 3600 });
    const anonymous = new ParleyClient({ url: gateway.url });
    expect(await failureOf(anonymous.clients.create({ name: "Ada" }))).toMatchObject({ code: "unavailable" });
    expect(gateway.keys).toHaveLength(4);
    expect(gateway.keys[3]).toBeUndefined();
    gateway.server.close();
  });
});

it("a token source is asked again after a 401, once for all calls", async () => {
  const { id, key } = await parley.keys.create({ name: "short", role: "client", clientId });
  const { key: next } = await parley.keys.create({ name: "next", role: "client", clientId });
  const asked: (string | undefined)[] = [];
  const token = async (refused?: string) => {
    asked.push(refused);
    return refused === undefined ? key : next;
  };
  const client = new ParleyClient({ url: workerd.url.origin, token });
  expect(await client.me()).toMatchObject({ role: "client", clientId });
  await parley.keys.delete(id);
  const found = await Promise.all([client.sessions.list(), client.sessions.list(), client.me()]);
  expect(found[2]).toMatchObject({ role: "client" });
  expect(asked).toEqual([undefined, key]);
});

it("works by nouns, without the rest of the client", async () => {
  const connection = new Connection({ url: workerd.url.origin, token: ADMIN_KEY });
  const { id } = await new Sessions(connection).create({ chatbotId, clientId });
  expect(await new Sessions(connection).get(id)).toMatchObject({ id });
  const comparisons = new Comparisons(connection);
  const { session_id } = await comparisons.create({ name: "Nouns", endpoints: ["echo"] });
  await comparisons.setStrategy(session_id, "chat_history");
  await comparisons.setSystemPrompt(session_id, "Be brief");
  expect(await comparisons.get(session_id)).toMatchObject({
    context_strategy: "chat_history",
    system_prompt: "Be brief",
  });
  await comparisons.setStrategy(session_id, null);
  await comparisons.setSystemPrompt(session_id, null);
  expect(await comparisons.get(session_id)).toMatchObject({ context_strategy: null, system_prompt: null });
});
