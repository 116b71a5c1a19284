/** The bridge: a comparison that is made from a chat session, the replay of its turns, and the adoption of an answer. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, inject, it, vi } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { archive } from "../../support/archive.ts";
import { signClientToken } from "../../support/client-token.ts";
import { createCountingEndpoint } from "../../support/counted-chats.ts";
import { createChatbot, createClient, createEndpoint, createSession, unique } from "../../support/create.ts";
import { followEvents } from "../../support/follow.ts";

const chat = (id: string, content: string) => post(`/sessions/chat?sessionId=${id}`, { content });
const say = (id: string, role: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content } });
const replay = (id: string, range: object = {}) => post(`/v1/sessions/${id}/replay`, range);

/** What a test looks at in a record. */
interface ShownRecord {
  chat_record_id: number;
  conn_id: string;
  prompt: string;
  predicted_result: string | null;
  system_prompt: string | null;
  status: string;
  receipt?: { body: string; body_sha256: string };
}
type History = Record<string, ShownRecord[]>;

const historyOf = async (id: string): Promise<History> =>
  (await get(`/v1/sessions/${id}?include_history=true&include=receipt`)).body.session.chat_history;

async function bridge(from: string, endpoints: string[], fields: object = {}) {
  const answer = await post("/v1/sessions", { name: unique("bridge"), endpoints, from_session: from, ...fields });
  if (answer.status !== 200) throw new Error(`No bridge: ${JSON.stringify(answer.body)}`);
  return answer.body.session;
}

/** The messages of a body, as its provider got them. */
const messagesIn = (text = "{}"): { role: string; content: string }[] => JSON.parse(text).messages;
const contentsIn = (text?: string): string[] => messagesIn(text).map(({ content }) => content);

describe("a comparison from a chat session", () => {
  it("puts each message of the user to all endpoints, which go on with their own answers", async () => {
    const other = await createCountingEndpoint("count-4");
    const echo = await createEndpoint();
    const chatbotId = await createChatbot({ systemPrompt: "Be kind.", greeting: "Welcome!" });
    const from = await createSession({ chatbotId });
    const prompts = ["  First question\n", "Second question", "Third question"];
    for (const prompt of prompts) await chat(from, prompt);
    const session = await bridge(from, [other.id, echo]);
    expect(session).toMatchObject({
      chat_ids: ["recorded", expect.any(String), expect.any(String)],
      endpoints: [other.id, echo],
      system_prompt: "Be kind.",
      context_strategy: "chat_history",
      from_session: from,
      mode: "user_turns",
    });
    const { status, body } = await post(`/v1/sessions/${session.session_id}/replay`);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(session.chat_ids);
    for (const records of Object.values<ShownRecord[]>(body)) {
      expect(records.map(({ prompt }) => prompt)).toEqual(prompts);
      expect(records.map(({ chat_record_id: number }) => number)).toEqual([1, 2, 3]);
    }
    expect(body.recorded).toMatchObject(prompts.map((prompt) => ({ conn_id: "recorded", predicted_result: prompt })));
    const sent = (await other.bodies()).map(({ text }) => contentsIn(text));
    const last = sent.at(-1) ?? [];
    expect(last[0]).toMatch(/^Be kind\.[^]*Welcome!$/);
    expect(last.slice(1)).toEqual([prompts[0], "Yes, of course.", prompts[1], "Yes, of course.", prompts[2]]);
    expect(sent).toHaveLength(3);
    expect(await historyOf(session.session_id)).toMatchObject(body);
  });

  it("pinned, sends the conversation as it was recorded up to each message, also to its own chatbot", async () => {
    const own = await createCountingEndpoint("count-4");
    const chatbotId = await createChatbot({
      endpointId: own.id,
      systemPrompt: "Be kind.",
      greeting: "Welcome!",
      historyLimit: 4,
    });
    const from = await createSession({ chatbotId });
    await chat(from, "First");
    await say(from, "system", "The user has paid.");
    await chat(from, "Second");
    await chat(from, "Third");
    const inChat = (await own.bodies()).map(({ text }) => text);
    const other = await createCountingEndpoint("count-4", {
      connector_type: "openai-connector",
      params: { alternate_roles: false },
    });
    const { session_id: id } = await bridge(from, [other.id, `chatbot:${chatbotId}`], { mode: "pinned" });
    await replay(id);
    expect((await own.bodies()).slice(3).map(({ text }) => text)).toEqual(inChat);
    const logged = (await get(`/sessions/${from}/messages?after=0`)).body.data.messages as { content: string }[];
    const sent = (await other.bodies()).map(({ text }) => contentsIn(text));
    const contents = logged.map(({ content }) => content);
    expect(sent).toEqual([
      ["Be kind.", ...contents.slice(0, 2)],
      ["Be kind.", ...contents.slice(0, 5)],
      ["Be kind.", ...contents.slice(0, 7)],
    ]);
  });

  it("takes a user's messages in a row as turns of their own, and knows what has no answer", async () => {
    const failing = await createEndpoint({ params: { fail: 500, fail_times: 1 } });
    const from = await createSession({ chatbotId: await createChatbot({ endpointId: failing }) });
    await chat(from, "Failed");
    await say(from, "user", "Alone");
    await chat(from, "Answered");
    await post(`/sessions/${from}/takeover`, { operator: { id: "grace", name: "Grace" } });
    await chat(from, "For a person");
    await say(from, "assistant", "Grace here.");
    const session = await bridge(from, [await createEndpoint()]);
    const { body } = await replay(session.session_id);
    expect(body.recorded.map(({ prompt, predicted_result: text }: ShownRecord) => [prompt, text])).toEqual([
      ["Failed", null],
      ["Alone", null],
      ["Answered", "Answered"],
      ["For a person", "Grace here."],
    ]);
    const exported = await get(`/v1/sessions/${session.session_id}/export?format=jsonl`);
    const lines = exported.body
      .trim()
      .split("\n")
      .map((line: string) => JSON.parse(line));
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatchObject({ chat_id: "recorded", endpoint: "recorded", predicted_result: null });
    const stats = (await get(`/v1/sessions/${session.session_id}/stats`)).body;
    expect([stats.chats.length, stats.chats[0].endpoint]).toEqual([2, "recorded"]);
  });

  it("does not take the text of a reply that failed for an answer, but for a part of a pinned conversation", async () => {
    const uri = `${inject("upstream")}/${crypto.randomUUID()}/hello.truncated,hello@${crypto.randomUUID()}`;
    const endpointId = await createEndpoint({ connector_type: "openai-connector", uri, params: { max_attempts: 1 } });
    const from = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    await chat(from, "One");
    await chat(from, "Two");
    const other = await createCountingEndpoint("count-4");
    const session = await bridge(from, [other.id], { mode: "pinned" });
    const { body } = await replay(session.session_id);
    expect(body.recorded.map(({ predicted_result: text }: ShownRecord) => text)).toEqual([null, expect.any(String)]);
    const sent = contentsIn((await other.bodies()).at(-1)?.text);
    expect(sent).toEqual(["One", expect.stringMatching(/./), "Two"]);
  });

  it("ends at a message, of the active path or of another variant", async () => {
    const from = await createSession();
    for (const content of ["One", "Two", "Three"]) await chat(from, content);
    await post(`/sessions/${from}/messages/3/edit`, { content: "Two, edited" });
    const turnsOf = async (fields: object) => {
      const { session_id: id } = await bridge(from, [await createEndpoint()], fields);
      return (await replay(id)).body.recorded.map(({ prompt }: ShownRecord) => prompt);
    };
    expect(await turnsOf({})).toEqual(["One", "Two, edited"]);
    expect(await turnsOf({ until_seq: 2 })).toEqual(["One"]);
    expect(await turnsOf({ until_seq: 6 })).toEqual(["One", "Two", "Three"]);
  });

  it("takes another system prompt, or none, and another strategy", async () => {
    const from = await createSession({ chatbotId: await createChatbot({ systemPrompt: "Be kind." }) });
    await chat(from, "One");
    const endpoint = await createEndpoint();
    const shown = async (fields: object) => {
      const { system_prompt: prompt, context_strategy: strategy } = await bridge(from, [endpoint], fields);
      return [prompt, strategy];
    };
    expect(await shown({ system_prompt: "Be brief." })).toEqual(["Be brief.", "chat_history"]);
    expect(await shown({ system_prompt: "" })).toEqual([null, "chat_history"]);
    expect(await shown({ context_strategy: "add_previous_prompt" })).toEqual(["Be kind.", "add_previous_prompt"]);
    expect(await shown({ mode: "pinned" })).toEqual(["Be kind.", null]);
  });

  it("is refused with a clear reason, and nothing is created", async () => {
    const [from, endpoint] = [await createSession(), await createEndpoint()];
    const empty = await createSession();
    await chat(from, "One");
    const comparison = (await post("/v1/sessions", { name: "n", endpoints: [endpoint] })).body.session.session_id;
    const refused = async (fields: object) => {
      const { status, body } = await post("/v1/sessions", { name: unique("no"), endpoints: [endpoint], ...fields });
      return [status, body.detail ?? body.error[0].loc.at(-1)];
    };
    expect(await refused({ from_session: comparison })).toEqual([404, `Session "${comparison}" not found`]);
    expect(await refused({ from_session: "0".repeat(24) })).toEqual([404, `Session "${"0".repeat(24)}" not found`]);
    expect(await refused({ from_session: from, until_seq: 9 })).toEqual([404, 'Message "9" not found']);
    expect(await refused({ from_session: empty })).toEqual([409, expect.stringContaining("no message of a user")]);
    expect(await refused({ from_session: from, mode: "pinned", context_strategy: "chat_history" })).toEqual([
      422,
      "context_strategy",
    ]);
    expect(await refused({ mode: "pinned" })).toEqual([422, "mode"]);
    expect(await refused({ until_seq: 1 })).toEqual([422, "until_seq"]);
  });

  it("keeps 20 long turns whole, and goes on when the chat session is gone", async () => {
    const from = await createSession();
    const prompts = Array.from({ length: 20 }, (_, nth) =>
      `${nth} ${"ä long prompt 🎉 ".repeat(5_000)}`.slice(0, 99_000),
    );
    for (const prompt of prompts) {
      await say(from, "user", prompt);
      await say(from, "assistant", `Answer to ${prompt}`);
    }
    const endpoint = await createEndpoint({ connector_type: "eliza-connector" });
    const session = await bridge(from, [endpoint], { mode: "pinned" });
    await del(`/sessions/${from}`);
    await replay(session.session_id, { to: 3 });
    await evictDurableObject(env.SESSIONS.getByName(session.session_id));
    expect(
      (await post(`/v1/sessions/${session.session_id}/replay`, {}, { headers: { prefer: "return=minimal" } })).status,
    ).toBe(200);
    const exported = await get(`/v1/sessions/${session.session_id}/export?format=jsonl`);
    const lines = exported.body
      .trim()
      .split("\n")
      .map((line: string) => JSON.parse(line));
    const recorded = lines.filter((line: { chat_id: string }) => line.chat_id === "recorded");
    expect(lines).toHaveLength(40);
    expect(recorded.map((line: ShownRecord) => line.prompt)).toEqual(prompts);
    expect(recorded.map((line: ShownRecord) => line.predicted_result)).toEqual(
      prompts.map((one) => `Answer to ${one}`),
    );
  });
});

describe("a replay", () => {
  const chatOf = async (...contents: string[]) => {
    const from = await createSession();
    for (const content of contents) await chat(from, content);
    return from;
  };

  it("goes on from the first turn that was not put, and does nothing twice", async () => {
    const endpoint = await createCountingEndpoint("count-4");
    const { session_id: id } = await bridge(await chatOf("One", "Two", "Three"), [endpoint.id]);
    const prompted = async (range: object) =>
      (await replay(id, range)).body.recorded?.map(({ prompt }: ShownRecord) => prompt);
    const skipped = await replay(id, { from: 2 });
    expect([skipped.status, skipped.body.detail]).toEqual([409, expect.stringContaining("turn 1 was not put yet")]);
    expect((await replay(id, { to: 4 })).status).toBe(422);
    expect((await replay(id, { from: 2, to: 1 })).status).toBe(422);
    expect(await prompted({ from: 1, to: 1 })).toEqual(["One"]);
    expect(await prompted({ to: 1 })).toEqual(["One"]);
    expect(await prompted({ from: 1, to: 2 })).toEqual(["One", "Two"]);
    expect(await prompted({})).toEqual(["One", "Two", "Three"]);
    expect(await prompted({})).toEqual(["One", "Two", "Three"]);
    expect(await endpoint.bodies()).toHaveLength(3);
  });

  it("streams its turns with their progress, and another call joins it", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 100 } });
    const { session_id: id, chat_ids: chatIds } = await bridge(await chatOf("One", "Two"), [slow]);
    const stream = await followEvents(`/v1/sessions/${id}/replay`, {});
    await stream.next("turn-started");
    const joined = replay(id);
    const joiner = await followEvents(`/v1/sessions/${id}/replay`, {});
    expect((await joined).body.recorded).toHaveLength(2);
    await stream.until(() => stream.ended);
    await joiner.until(() => joiner.ended);
    const progress = stream.events.filter(({ type }) => type === "replay-progress");
    expect(progress).toEqual([1, 2].map((turn) => ({ type: "replay-progress", turn, of: 2 })));
    expect(stream.events.find(({ type }) => type === "turn-started")).toMatchObject({ chatIds: chatIds.slice(1) });
    expect(joiner.events.filter(({ type }) => type === "turn-ended")).toHaveLength(2);
    expect((await historyOf(id))[chatIds[1]]).toHaveLength(2);
  });

  it("is stopped by cancel, and can go on", async () => {
    const slow = await createEndpoint({ params: { delay_ms: 300 } });
    const { session_id: id, chat_ids: chatIds } = await bridge(await chatOf("One", "Two", "Three"), [slow]);
    const stream = await followEvents(`/v1/sessions/${id}/replay`, {});
    await stream.next("turn-started");
    await post(`/v1/sessions/${id}/cancel`);
    await stream.until(() => stream.ended);
    const statusesOf = async () => (await historyOf(id))[chatIds[1]]?.map(({ status }) => status);
    expect(await statusesOf()).toEqual(["cancelled"]);
    await replay(id);
    expect(await statusesOf()).toEqual(["cancelled", "ok", "ok"]);
  });

  it("goes on by itself when the object stopped in the middle, with one record for each chat and turn", async () => {
    const [slow, quick] = [await createEndpoint({ params: { delay_ms: 400 } }), await createEndpoint()];
    const { session_id: id, chat_ids: chatIds } = await bridge(await chatOf("One", "Two", "Three"), [
      slow,
      quick,
      quick,
    ]);
    const object = () => env.SESSIONS.getByName(id);
    const stream = await followEvents(`/v1/sessions/${id}/replay`, {});
    await stream.next("replay-progress");
    await stream.next("message-appended");
    await evictDurableObject(object());
    await runDurableObjectAlarm(object());
    await vi.waitFor(async () => expect((await historyOf(id))[chatIds[1]]).toHaveLength(3), { timeout: 20_000 });
    const { body } = await replay(id);
    for (const records of Object.values<ShownRecord[]>(body)) {
      expect(records.map(({ chat_record_id: number }) => number)).toEqual([1, 2, 3]);
      expect(records.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
    }
  });

  it("leaves room for prompts of others, which have no recorded answer", async () => {
    const { session_id: id, chat_ids: chatIds } = await bridge(await chatOf("One", "Two"), [await createEndpoint()]);
    await replay(id, { to: 1 });
    await post(`/v1/sessions/${id}/prompt`, { prompt: "Between" });
    const { body } = await replay(id);
    expect(body[chatIds[1]].map(({ prompt }: ShownRecord) => prompt)).toEqual(["One", "Between", "Two"]);
    expect(body.recorded.map(({ chat_record_id: n, prompt }: ShownRecord) => [n, prompt])).toEqual([
      [1, "One"],
      [3, "Two"],
    ]);
    const refused = await post(`/v1/sessions/${id}/adopt`, { chat_id: chatIds[1], chat_record_id: 2 });
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining("Only an answer")]);
  });

  it("is refused for a session that was not made from a chat", async () => {
    const { session } = (await post("/v1/sessions", { name: "n", endpoints: [await createEndpoint()] })).body;
    expect((await replay(session.session_id)).status).toBe(409);
    expect((await replay("none_20240101-000000")).status).toBe(404);
    const answer = await post(`/v1/sessions/${session.session_id}/adopt`, { chat_id: "x", chat_record_id: 1 });
    expect(answer.status).toBe(409);
  });
});

describe("an answer", () => {
  async function rated() {
    const clientId = await createClient();
    const from = await createSession({ clientId, chatbotId: await createChatbot({ greeting: "Welcome!" }) });
    await chat(from, "One");
    await chat(from, "Two");
    await put(`/sessions/${from}/messages/3/feedback`, { rating: -1 });
    const endpoint = await createEndpoint({ params: { pre_prompt: "Better: " } });
    const session = await bridge(from, [endpoint], { until_seq: 3 });
    await replay(session.session_id);
    return { clientId, from, endpoint, id: session.session_id, chatId: session.chat_ids[1] };
  }

  it("that was adopted is the active variant of the one that was rated down, once", async () => {
    const { from, id, chatId, endpoint, clientId } = await rated();
    const adopt = () => post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1 });
    const follower = await followEvents(`/sessions/${from}/events`);
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    const author = { kind: "adopted", endpoint, sessionId: id };
    const shown = (await get(`/sessions/${from}`)).body.data.messages;
    expect(shown.map(({ content }: { content: string }) => content)).toEqual(["Welcome!", "One", "Better: One"]);
    expect(shown[2].author).toEqual(author);
    expect(await follower.next("message-appended")).toMatchObject({ seq: 6, parentSeq: 2, author });
    const tree = (await get(`/sessions/${from}/messages?after=5&tree=true`)).body.data.messages;
    expect(tree).toMatchObject([{ seq: 6, parentSeq: 2, active: true, variant: { index: 2, of: 2 }, author }]);
    await follower.cut();
    const token = await signClientToken(clientId);
    const asClient = { token };
    expect((await get(`/sessions/${from}`, asClient)).body.data.messages[2].author).toEqual({ kind: "adopted" });
    const page = await get(`/sessions/${from}/messages?after=5`, asClient);
    expect(page.body.data.messages[0].author).toEqual({ kind: "adopted" });
    expect((await chat(from, "Go on")).status).toBe(200);
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
  });

  it("that was adopted is found again when the chat has ended, and when it is in the archive", async () => {
    const { from, id, chatId } = await rated();
    const adopt = () => post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1 });
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    await post(`/sessions/${from}/end`);
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    await runDurableObjectAlarm(env.SESSIONS.getByName(from));
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    await archive([from]);
    expect((await adopt()).body).toEqual({ success: true, seq: 6 });
    await del(`/sessions/${from}`);
    expect((await adopt()).status).toBe(409);
  });

  it("is not adopted when the chat went on, unless its last message is named, or is gone or has ended", async () => {
    const { from, id, chatId } = await rated();
    const adopt = (fields: object = {}) =>
      post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1, ...fields });
    await chat(from, "Meanwhile");
    expect((await adopt()).status).toBe(409);
    expect(await adopt({ expected_seq: 6 })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`chat session ${from} is 7, and not expected_seq, 6`) },
    });
    await post(`/sessions/${from}/end`);
    expect((await adopt({ expected_seq: 7 })).body.detail).toContain("gone or not active");
    await put(`/sessions/${from}`, { status: "ACTIVE" });
    expect((await adopt({ expected_seq: 7 })).body).toEqual({ success: true, seq: 8 });
    await del(`/sessions/${from}`);
    expect((await adopt({ expected_seq: 7 })).status).toBe(409);
  });

  it("is not adopted while a reply of the chat is written", async () => {
    const { from, id, chatId } = await rated();
    const adopt = () => post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1, expected_seq: 6 });
    const slow = await createEndpoint({ params: { delay_ms: 30_000 } });
    const { chatbotId } = (await get(`/sessions/${from}`)).body.data;
    await put(`/chatbots/${chatbotId.id}`, { endpointId: slow });
    // Sessions use a chatbot as it was within two seconds.
    await scheduler.wait(2_100);
    const asked = chat(from, "Meanwhile");
    await vi.waitFor(async () => expect((await get(`/sessions/${from}`)).body.data.messages).toHaveLength(6), 10_000);
    expect([(await adopt()).status, (await adopt()).body.detail]).toEqual([
      409,
      expect.stringContaining(`chat session ${from}`),
    ]);
    await post(`/sessions/${from}/stop`);
    await asked;
    const { seq } = (await get(`/sessions/${from}/messages?after=5&tree=true`)).body.data.messages.at(-1);
    const adopted = await post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1, expected_seq: seq });
    expect(adopted.status).toBe(200);
  });

  it("must be a record of an endpoint, with text", async () => {
    const { id, chatId } = await rated();
    const adopt = async (fields: object) =>
      (await post(`/v1/sessions/${id}/adopt`, { chat_id: chatId, chat_record_id: 1, ...fields })).status;
    expect(await adopt({ chat_id: "recorded" })).toBe(409);
    expect(await adopt({ chat_id: "none" })).toBe(404);
    expect(await adopt({ chat_record_id: 2 })).toBe(404);
    expect(await adopt({ chat_record_id: 0 })).toBe(422);
  });
});

describe("a client", () => {
  it("learns nothing of comparisons", async () => {
    const clientId = await createClient();
    const from = await createSession({ clientId });
    await chat(from, "One");
    const { session_id: id, chat_ids: chatIds } = await bridge(from, [await createEndpoint()]);
    const client = { token: await signClientToken(clientId) };
    const before = (await get(`/sessions/${from}`, client)).body;
    await replay(id);
    expect((await get(`/sessions/${from}`, client)).body).toEqual(before);
    const statuses = await Promise.all([
      post("/v1/sessions", { name: "n", endpoints: ["echo"], from_session: from }, client),
      post(`/v1/sessions/${id}/replay`, {}, client),
      post(`/v1/sessions/${id}/adopt`, { chat_id: chatIds[1], chat_record_id: 1 }, client),
      get(`/v1/sessions/${id}`, client),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    const { results } = (await get("/sessions?limit=100", client)).body.data;
    expect(results.map((one: { id: string }) => one.id)).toEqual([from]);
    const all = (await get("/sessions?limit=100")).body.data.results;
    expect(all.map((one: { id: string }) => one.id)).not.toContain(id);
  });
});
