/** Calls of OpenAI's API that would make a session, and are refused: nothing of them is kept. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { kept } from "../../support/kept.ts";

const TOO_LONG = "x".repeat(1_000);
const TOO_SMALL = { maxTokens: 100, keep: "newest" };

const ROUTES = ["chat/completions", "responses"] as const;
type Route = (typeof ROUTES)[number];

/** A chatbot with these fields, and a client of it. */
async function conversation(chatbot: object) {
  const chatbotId = await createChatbot({ endpointId: await createEndpoint(), greeting: "Hello", ...chatbot });
  const metadata = { client_id: await createClient() };
  const base = { model: `chatbot:${chatbotId}`, metadata, store: true };
  const bodyOf = (route: Route, ...texts: string[]) => {
    const messages = texts.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content }));
    return route === "responses" ? { ...base, input: messages } : { ...base, messages };
  };
  return { chatbotId, clientId: metadata.client_id, bodyOf };
}

const sessions = async (): Promise<number> => (await get("/sessions")).body.data.paginatorInfo.total;

describe.each(ROUTES)("a first call to %s that is refused", (route) => {
  it.each([
    ["whole", false, [TOO_LONG]],
    ["streamed", true, [TOO_LONG]],
    ["with earlier messages", false, ["1", "2", TOO_LONG]],
  ])("makes no session: %s", async (_, stream, texts) => {
    const { bodyOf } = await conversation({ context: TOO_SMALL });
    const before = await kept();
    const { status, body, headers } = await post(`/openai/v1/${route}`, { ...bodyOf(route, ...texts), stream });
    expect([status, body.error.code]).toEqual([400, "context_too_small"]);
    expect(headers.get("x-parley-session")).toBeNull();
    expect(await kept()).toEqual(before);
  });

  it("makes no session that stays when only the session finds the fault", async () => {
    const { clientId, bodyOf } = await conversation({});
    const before = await sessions();
    const batch = env.DB.batch.bind(env.DB);
    const deletion =
      "update clients set deleted_at = 1 where id = ?1 and exists (select 1 from sessions where client_id = ?1)";
    const deleted: number[] = [];
    const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const results = await batch(statements);
      deleted.push((await env.DB.prepare(deletion).bind(clientId).run()).meta.changes);
      return results;
    });
    const headers = { "idempotency-key": crypto.randomUUID() };
    const refused = await post(`/openai/v1/${route}`, bodyOf(route, "Hi"), { headers });
    spy.mockRestore();
    expect(deleted.some((count) => count > 0)).toBe(true);
    expect([refused.status, refused.body.error.code]).toEqual([404, "not_found"]);
    expect(await sessions()).toBe(before);
  });

  it("leaves its key free, for the same call and for another one", async () => {
    const { chatbotId, bodyOf } = await conversation({ context: TOO_SMALL });
    const headers = { "idempotency-key": crypto.randomUUID() };
    const before = await sessions();
    const ask = (text: string) => post(`/openai/v1/${route}`, bodyOf(route, text), { headers });
    for (let time = 0; time < 2; time += 1) expect((await ask(TOO_LONG)).body.error.code).toBe("context_too_small");
    expect(await sessions()).toBe(before);
    await put(`/chatbots/${chatbotId}`, { context: null });
    expect((await ask("Hi")).status).toBe(200);
    expect(await sessions()).toBe(before + 1);
  });

  it("keeps the session that an earlier call under its key has made", async () => {
    const failing = await createEndpoint({ params: { fail: 500 } });
    const { chatbotId, bodyOf } = await conversation({ endpointId: failing });
    const headers = { "idempotency-key": crypto.randomUUID() };
    const ask = () => post(`/openai/v1/${route}`, bodyOf(route, TOO_LONG), { headers });
    const first = await ask();
    expect(first.status).toBe(502);
    await put(`/chatbots/${chatbotId}`, { context: TOO_SMALL });
    await expect.poll(async () => (await ask()).body.error.code).toBe("context_too_small");
    const id = first.headers.get("x-parley-session") ?? "";
    const { messages } = (await get(`/sessions/${id}`)).body.data;
    expect(messages.at(-1)).toMatchObject({ role: "user", content: TOO_LONG });
  });
});

it.each<[Route, string]>([
  ["responses", "input"],
  ["chat/completions", "messages"],
])("a call to %s that ends with an empty answer is refused, and makes no session", async (route, field) => {
  const { bodyOf } = await conversation({});
  const before = await kept();
  const { status, body } = await post(`/openai/v1/${route}`, bodyOf(route, "1", ""));
  expect([status, body.error.param]).toEqual([400, field]);
  expect(await kept()).toEqual(before);
});

it("instructions may stand behind the prompt of a response", async () => {
  const { bodyOf } = await conversation({});
  const input = [
    { role: "user", content: "1" },
    { role: "developer", content: "Be brief." },
  ];
  expect((await post("/openai/v1/responses", { ...bodyOf("responses"), input })).status).toBe(200);
});
