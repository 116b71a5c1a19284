/** Results of chats: exports, statistics, and what a page of messages shows of replies. */
import { env } from "cloudflare:workers";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { ReplyDetail } from "../../../src/core/message.ts";
import { database } from "../../../src/store/database.ts";
import { deleteMessages } from "../../../src/store/message-rows.ts";
import { get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";

type Json = Record<string, unknown>;

const linesOf = (text: unknown): Json[] => {
  const lines = String(text).split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as Json);
};

const failed: Partial<ReplyDetail> = {
  status: "error",
  finishReason: "error",
  error: { code: "provider_rejected", message: "The provider answered 400: secret words" },
  usage: null,
  ttftMs: null,
  model: null,
};

/** A session whose second question failed half-way, with a key of its client. */
async function aChat() {
  const clientId = await createClient();
  const chatbotId = await createChatbot({ greeting: "Hello" });
  const id = await createSession({ chatbotId, clientId });
  const prices = { inputPerMillion: 1, outputPerMillion: 0.5 };
  const usage = { inputTokens: 100_000, outputTokens: 200_000, cachedInputTokens: 50_000 };
  await deleteMessages(database(env.DB), id).run();
  await writeLog(id, [
    {
      prompt: "=1+1",
      replies: [{ chatId: id, content: "two, or\nso", reply: { prices, usage, finishReasonRaw: "eos" } }],
    },
    { prompt: "Again?", replies: [{ chatId: id, content: "-par", reply: failed }] },
    { prompt: "Still there?", replies: [{ chatId: id, content: "", reply: { ...failed, finishReason: "error" } }] },
  ]);
  const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  return { id, token: token as string };
}

const at = "2024-03-14T20:31:47.00";

describe("the export of a chat", () => {
  it("has a line for each reply with its question, usage, times and cost", async () => {
    const { id } = await aChat();
    const { body, headers } = await get(`/sessions/${id}/export`);
    expect(headers.get("content-type")).toBe("application/jsonl");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${id}.jsonl"`);
    const lines = linesOf(body);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual({
      sessionId: id,
      turn: 1,
      promptTimestamp: `${at}0Z`,
      prompt: "=1+1",
      seq: 2,
      active: true,
      timestamp: `${at}0Z`,
      response: "two, or\nso",
      partialResponse: null,
      status: "ok",
      error: null,
      finishReason: "stop",
      usage: { inputTokens: 100_000, outputTokens: 200_000, cachedInputTokens: 50_000 },
      durationMs: 100,
      ttftMs: 10,
      finishReasonRaw: "eos",
      endpointId: "endpoint",
      model: "m-1",
      queueMs: 0,
      attempts: 1,
      providerRequestId: "req_1",
      cost: 0.2,
    });
    expect(lines[1]).toMatchObject({
      turn: 2,
      response: null,
      partialResponse: "-par",
      error: failed.error,
      cost: null,
    });
    expect(lines[2]).toMatchObject({ turn: 3, response: null, partialResponse: null, usage: null });
  });

  it("is CSV on request, for each reply or each prompt", async () => {
    const { id } = await aChat();
    const csv = async (query: string) =>
      parse((await get(`/sessions/${id}/export?format=csv${query}`)).body, { bom: true, columns: true });
    expect((await csv(""))[0]).toEqual({
      sessionId: id,
      endpointId: "endpoint",
      turn: "1",
      promptTimestamp: `${at}0Z`,
      prompt: "'=1+1",
      seq: "2",
      active: "true",
      timestamp: `${at}0Z`,
      response: "two, or\nso",
      partialResponse: "",
      status: "ok",
      errorCode: "",
      errorMessage: "",
      finishReason: "stop",
      model: "m-1",
      attempts: "1",
      queueMs: "0",
      durationMs: "100",
      ttftMs: "10",
      inputTokens: "100000",
      outputTokens: "200000",
      cost: "0.2",
    });
    expect((await csv("&raw=1"))[1]).toMatchObject({
      prompt: "Again?",
      response: "",
      partialResponse: "-par",
      errorCode: "provider_rejected",
      errorMessage: "The provider answered 400: secret words",
      cost: "",
    });
    expect(await csv("&layout=wide")).toEqual([
      { sessionId: id, turn: "1", promptTimestamp: `${at}0Z`, prompt: "'=1+1", response: "two, or\nso" },
      expect.objectContaining({ turn: "2", response: "[provider_rejected] The provider answered 400: secret words" }),
      expect.objectContaining({ turn: "3" }),
    ]);
  });

  it("shows a client its conversation, and neither configuration, cost nor the provider's words", async () => {
    const { id, token } = await aChat();
    const text = async (query: string) => String((await get(`/sessions/${id}/export${query}`, { token })).body);
    const [line, broken] = linesOf(await text(""));
    expect(Object.keys(line ?? {})).toEqual([
      "sessionId",
      "turn",
      "promptTimestamp",
      "prompt",
      "seq",
      "active",
      "timestamp",
      "response",
      "partialResponse",
      "status",
      "error",
      "finishReason",
      "usage",
      "durationMs",
      "ttftMs",
    ]);
    expect(broken).toMatchObject({ partialResponse: "-par", error: { code: "provider_rejected" } });
    const [header] = (await text("?format=csv")).split("\r\n");
    expect(header).toBe(
      "sessionId,turn,promptTimestamp,prompt,seq,active,timestamp,response,partialResponse,status,errorCode,finishReason,durationMs,ttftMs,inputTokens,outputTokens",
    );
    for (const query of ["", "?format=csv", "?format=csv&layout=wide"])
      expect(await text(query)).not.toMatch(/secret words|m-1|req_1|0\.2/);
  });

  it("is refused with 400 where its query does not fit, and is 404 for no session", async () => {
    const { id } = await aChat();
    for (const query of ["format=xml", "layout=wide", "format=csv&layout=tall", "raw=1"])
      expect((await get(`/sessions/${id}/export?${query}`)).status).toBe(400);
    for (const path of ["export", "stats"]) {
      const { status, body } = await get(`/sessions/0123456789abcdef01234567/${path}`);
      expect([status, body.error.code]).toEqual([404, "not_found"]);
    }
  });

  it("names the question of a turn that ran again, and is the same after the end", async () => {
    const endpointId = await createEndpoint({ params: { fail: 500, fail_times: 1 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const chat = (content: string, key: string) =>
      post(`/sessions/chat?sessionId=${id}`, { content }, { headers: { "idempotency-key": key } });
    expect((await chat("first", "a")).status).toBe(502);
    await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "aside" } });
    expect((await chat("second", "b")).status).toBe(200);
    expect((await chat("first", "a")).status).toBe(200);
    const exported = async () => linesOf((await get(`/sessions/${id}/export`)).body);
    const live = await exported();
    expect(live.map(({ turn, prompt, status, response }) => [turn, prompt, status, response])).toEqual([
      [1, "first", "error", null],
      [2, "second", "ok", "second"],
      [3, "first", "ok", "first"],
    ]);
    await post(`/sessions/${id}/end`);
    await env.SESSIONS.getByName(id).catchUp();
    expect(await exported()).toEqual(live);
  });
});

describe("the statistics of a chat", () => {
  it("count its replies, and leave out what is unknown", async () => {
    const { id, token } = await aChat();
    const times = (ms: number) => ({ min: ms, p50: ms, p90: ms, p95: ms, p99: ms, max: ms });
    const counts = {
      sessionId: id,
      count: 3,
      ok: 1,
      cancelled: 0,
      errors: { provider_rejected: 2 },
      finishReasons: { stop: 1, error: 2 },
      usage: { inputTokens: 100_000, outputTokens: 200_000 },
      durationMs: times(100),
      ttftMs: times(10),
    };
    const staff = (await get(`/sessions/${id}/stats`)).body;
    expect(staff).toEqual({ success: true, data: { ...counts, attempts: 3, cost: 0.2, priced: 1 } });
    expect((await get(`/sessions/${id}/stats`, { token })).body.data).toEqual(counts);
    const empty = (await get(`/sessions/${await createSession()}/stats`)).body.data;
    expect(empty).toMatchObject({ count: 0, usage: { inputTokens: 0, outputTokens: 0 }, priced: 0 });
    for (const field of ["cost", "durationMs", "ttftMs"]) expect(empty).not.toHaveProperty(field);
  });

  it("have the cost of a chat at the prices of its time", async () => {
    const endpointId = await createEndpoint({ prices: { input_per_million: 1_000_000, output_per_million: 500_000 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    await post(`/sessions/chat?sessionId=${id}`, { content: "one two" });
    const free = { prices: { input_per_million: 0, output_per_million: 0 } };
    expect((await put(`/v1/llm_endpoints/${endpointId}`, free)).status).toBe(200);
    const { body } = await get(`/sessions/${id}/stats`);
    expect(body.data).toMatchObject({ usage: { inputTokens: 2, outputTokens: 2 }, cost: 3, priced: 1 });
  });
});

describe("a page of messages", () => {
  it("shows of each reply its status, model, usage and times", async () => {
    const { id, token } = await aChat();
    const page = async (options = {}) => (await get(`/sessions/${id}/messages`, options)).body.data.messages as Json[];
    const question = { seq: 1, role: "user", content: "=1+1", timestamp: `${at}0Z` };
    const reply = {
      seq: 2,
      role: "assistant",
      content: "two, or\nso",
      timestamp: `${at}0Z`,
      status: "ok",
      finishReason: "stop",
      model: "m-1",
      usage: { inputTokens: 100_000, outputTokens: 200_000, cachedInputTokens: 50_000 },
      durationMs: 100,
      ttftMs: 10,
    };
    const broken = { status: "error", finishReason: "error", durationMs: 100 };
    const shown = await page();
    expect(shown.slice(0, 2)).toEqual([question, reply]);
    expect(shown[3]).toEqual({ seq: 4, role: "assistant", content: "-par", timestamp: `${at}1Z`, ...broken });
    const { model: _, ...forClients } = reply;
    expect((await page({ token }))[1]).toEqual(forClients);
  });

  it("leaves messages as the document has them everywhere else", async () => {
    const { id } = await aChat();
    const { messages } = (await get(`/sessions/${id}`)).body.data;
    expect(Object.keys(messages[1])).toEqual(["role", "content", "timestamp"]);
    const replied = await post(`/sessions/chat?sessionId=${await createSession()}`, { content: "hi" });
    expect(Object.keys(replied.body.data)).toEqual(["role", "content", "timestamp"]);
  });
});
