/** Answers that show a log: the newest of it, as far as one answer goes, whether it is in its object or in D1. */
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { MAX_LOG_MESSAGES } from "../../../src/core/message.ts";
import { ADMIN_KEY, del, get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { connect, followEvents } from "../../support/follow.ts";
import { fillLog, writeLog } from "../../support/long-log.ts";
import { makeReceipt } from "../../support/replies.ts";

interface Shown {
  messages: { content: string }[];
  truncated?: true;
}

/** Writes messages straight into D1: "1 xxx", "2 xxx" and so on, as long as is asked. */
async function writeMessages(id: string, count: number, characters: number): Promise<void> {
  await fillLog(id, 1, count, "substr(i || ' ' || ?4, 1, ?5)", "x".repeat(characters), characters);
}

const numbersOf = ({ messages }: Shown) => messages.map(({ content }) => parseInt(content, 10));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const minimal = { headers: { prefer: "return=minimal" } };
const append = (id: string, content: string, headers: Record<string, string> = {}) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } }, { headers });

describe("a session with more than 1,000 messages", () => {
  it("is shown by its newest 1,000 in every answer, and says so, while it is open and after its end", async () => {
    const id = await createSession();
    await writeMessages(id, 1_000, 8);
    // In D1, and then in its object.
    expect((await get(`/sessions/${id}`)).body.data).not.toHaveProperty("truncated");
    const shown: Shown[] = [(await append(id, "1001 added")).body.data];
    shown.push((await get(`/sessions/${id}`)).body.data);
    shown.push((await put(`/sessions/${id}`, { title: "long" })).body.data);
    shown.push((await post(`/sessions/${id}/end`)).body.data);
    shown.push((await get(`/sessions/${id}`)).body.data);
    shown.push((await put(`/sessions/${id}`, { feedback: { rating: 5 } })).body.data);
    shown.push((await put(`/sessions/${id}`, { status: "ACTIVE" })).body.data);
    for (const data of shown) {
      expect(numbersOf(data)).toEqual(range(2, 1_001));
      expect([data.truncated, Object.keys(data).at(-1)]).toEqual([true, "truncated"]);
    }
    expect((await get(`/sessions/${id}`, minimal)).body.data).toMatchObject({ messages: [] });
    const all = (await get(`/sessions/${id}/messages?limit=1000`)).body.data;
    expect([all.messages.length, all.nextAfter]).toEqual([1_000, 1_000]);
    expect((await get(`/sessions/${id}/messages?after=1000`)).body.data).toEqual({
      messages: [expect.objectContaining({ seq: 1_001, content: "1001 added" })],
    });
  });

  it("gives the same answer again under a key, however long the log has become", async () => {
    const id = await createSession();
    await writeMessages(id, 1_005, 8);
    const first = await append(id, "1006 added", { "idempotency-key": "k" });
    await append(id, "1007 later");
    const again = await append(id, "1006 added", { "idempotency-key": "k" });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body.data.messages).toEqual(first.body.data.messages);
    expect(numbersOf(again.body.data)).toEqual(range(7, 1_006));
  });
});

describe("a session with more than 4 million characters", () => {
  it("is shown by its newest 4 million, in an answer of the same form, while it is open and after its end", async () => {
    const id = await createSession({ title: "long", metadata: { messages: [] } });
    const short = (await get(`/sessions/${id}`)).body.data;
    await writeMessages(id, 44, 100_000);
    const shown: Shown[] = [(await get(`/sessions/${id}`)).body.data];
    shown.push((await append(id, "45".padEnd(100_000, "x"))).body.data);
    shown.push((await get(`/sessions/${id}`)).body.data);
    shown.push((await post(`/sessions/${id}/end`)).body.data);
    shown.push((await get(`/sessions/${id}`)).body.data);
    expect(shown.map(numbersOf)).toEqual([range(5, 44), ...Array.from({ length: 4 }, () => range(6, 45))]);
    expect(shown.map(({ truncated }) => truncated)).toEqual([true, true, true, true, true]);
    expect(Object.keys(shown[2] ?? {})).toEqual([...Object.keys(short), "truncated"]);
    expect(shown[2]).toMatchObject({ metadata: { messages: [] }, chatbotId: short.chatbotId });
  });

  it("has pages of 4 million characters at most, which lead to everything", async () => {
    const id = await createSession();
    await writeMessages(id, 90, 100_000);
    for (const prepare of [async () => undefined, () => append(id, "91 more")]) {
      await prepare();
      const pages: number[][] = [];
      for (let after: number | undefined = 0; after !== undefined;) {
        const { data }: { data: Shown & { nextAfter?: number } } = (
          await get(`/sessions/${id}/messages?limit=1000&after=${after}`)
        ).body;
        pages.push(numbersOf(data));
        after = data.nextAfter;
      }
      expect(pages.slice(0, 2)).toEqual([range(1, 40), range(41, 80)]);
      expect(pages[2]?.[0]).toBe(81);
    }
    const { data } = (await get(`/sessions/${id}/messages?limit=7&after=2`)).body;
    expect([numbersOf(data), data.nextAfter]).toEqual([range(3, 9), 9]);
  });

  it("counts a text with NUL characters too", async () => {
    const id = await createSession();
    const content = `\0${"x".repeat(99_999)}`;
    await fillLog(id, 1, 130, "?4", content);
    const { data } = (await get(`/sessions/${id}`)).body;
    expect([data.messages.length, data.truncated]).toEqual([120, true]);
  });

  it("breaks off with an error when it is deleted while it is read", async () => {
    const id = await createSession();
    await writeMessages(id, 44, 100_000);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const answer = await exports.default.fetch(`http://parley.test/sessions/${id}`, { headers });
    const reader = answer.body?.getReader();
    await reader?.read();
    await del(`/sessions/${id}`);
    const readAll = async () => {
      while (!(await reader?.read())?.done);
    };
    await expect(readAll()).rejects.toThrow();
  });

  it("answers HEAD without reading it, and a call for a session that is not there with 404", async () => {
    const id = await createSession();
    await writeMessages(id, 44, 100_000);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const head = await exports.default.fetch(`http://parley.test/sessions/${id}`, { method: "HEAD", headers });
    expect([head.status, await head.text(), head.headers.get("content-type")]).toEqual([200, "", "application/json"]);
    expect((await get("/sessions/ffffffffffffffffffffffff/messages?limit=1000")).status).toBe(404);
  });
});

describe("the events of a session that has ended", () => {
  it("come page by page from D1, all of them, over a stream and over a socket", async () => {
    const id = await createSession();
    await writeMessages(id, 120, 8);
    await post(`/sessions/${id}/end`);
    const reader = await followEvents(`/sessions/${id}/events?after=3`);
    await reader.next("stream-closed");
    expect(reader.ids.map(Number)).toEqual(range(4, 120));
    const client = await connect(`/sessions/${id}/ws?after=3`);
    await client.until(({ closed }) => closed !== null);
    expect(client.events.slice(1).map(({ seq }) => seq)).toEqual(range(4, 120));
    const fresh = await followEvents(`/sessions/${id}/events`);
    await fresh.next("stream-closed");
    expect(fresh.types()).toEqual(["session-snapshot", "stream-closed"]);
  });
});

const LONG = "y".repeat(100_000);

describe("the history of a comparison", () => {
  const historyOf = async (id: string, query = "") =>
    (await get(`/v1/sessions/${id}?include_history=true${query}`)).body.session;
  const recordIds = (records: { chat_record_id: number }[]) => records.map((record) => record.chat_record_id);

  it("is cut at the same prompt in every chat, within 1,000 messages, and then says so", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const turns = range(1, 333).map((n) => ({
      prompt: `prompt ${n}`,
      replies: session.chat_ids.map((chatId: string) => ({ chatId, content: `reply ${n}` })),
    }));
    await writeLog(session.session_id, turns);
    const whole = await historyOf(session.session_id);
    expect(Object.keys(whole)).toEqual(Object.keys(session));
    expect(recordIds(whole.chat_history[session.chat_ids[0]])).toEqual(range(1, 333));
    const { body } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "one more" });
    expect(Object.keys(body)).toEqual([...session.chat_ids, "truncated"]);
    expect(body.truncated).toBe(true);
    const cut = await historyOf(session.session_id);
    expect(Object.keys(cut)).toEqual([...Object.keys(session), "truncated"]);
    for (const chatId of session.chat_ids) {
      expect(recordIds(body[chatId])).toEqual(range(2, 334));
      expect(cut.chat_history[chatId]).toEqual(body[chatId]);
    }
    const { body: only } = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "last" }, minimal);
    expect(Object.keys(only)).toEqual(session.chat_ids);
  });

  it("has at most 4 million characters, with every prompt counted in each of its records", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const turns = range(1, 12).map((n) => ({
      prompt: LONG,
      replies: session.chat_ids.toReversed().map((chatId: string) => ({ chatId, content: `${n} ${LONG}` })),
    }));
    await writeLog(session.session_id, turns);
    // A record has 0.3 million characters: the prompt, the prepared prompt and the reply.
    for (const prepare of [async () => undefined, () => put(templateOf(session.session_id))]) {
      await prepare();
      const { chat_history, truncated } = await historyOf(session.session_id);
      expect(truncated).toBe(true);
      expect(Object.keys(chat_history)).toEqual(session.chat_ids);
      for (const chatId of session.chat_ids) {
        expect(recordIds(chat_history[chatId])).toEqual(range(7, 12));
        expect(chat_history[chatId][0]).toMatchObject({ prompt: LONG, predicted_result: `7 ${LONG}` });
      }
    }
  });

  it("counts receipts only where it shows them", async () => {
    const session = await createComparison([await createEndpoint()]);
    const [chatId] = session.chat_ids;
    const reply = { receipt: makeReceipt({ body: "z".repeat(250_000) }) };
    const turns = range(1, 20).map((n) => ({ prompt: `${n}`, replies: [{ chatId, content: "short", reply }] }));
    await writeLog(session.session_id, turns);
    const without = await historyOf(session.session_id);
    expect([recordIds(without.chat_history[chatId]), without.truncated]).toEqual([range(1, 20), undefined]);
    const withReceipts = await historyOf(session.session_id, "&include=receipt");
    expect([recordIds(withReceipts.chat_history[chatId]), withReceipts.truncated]).toEqual([range(6, 20), true]);
    expect(withReceipts.chat_history[chatId][0].receipt.body).toHaveLength(250_000);
    const path = `/v1/sessions/${session.session_id}/prompt?include=receipt`;
    const { body } = await post(path, { prompt: "21" });
    expect([recordIds(body[chatId]), body.truncated]).toEqual([range(6, 21), true]);
  });

  it("shows the new records of a turn whole, even if they are more than is passed on at once", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint(), await createEndpoint()]);
    const path = `/v1/sessions/${session.session_id}/prompt`;
    await post(path, { prompt: "before" });
    const { body } = await post(path, { prompt: LONG }, minimal);
    expect(Object.keys(body)).toEqual(session.chat_ids);
    for (const chatId of session.chat_ids)
      expect(body[chatId]).toMatchObject([{ chat_record_id: 2, prompt: LONG, predicted_result: LONG }]);
    expect((await historyOf(session.session_id)).chat_history[session.chat_ids[2]]).toHaveLength(2);
  });
});

/** Any change loads the session into its object. */
const templateOf = (id: string) => `/v1/sessions/${id}/context_strategies/chat_history`;

describe("a session whose log is full", () => {
  it("answers 409 in both dialects, and its first answers again", async () => {
    const id = await createSession();
    await writeMessages(id, MAX_LOG_MESSAGES - 1, 6);
    const last = await append(id, "the last", { ...minimal.headers, "idempotency-key": "k" });
    expect(last.status).toBe(200);
    const more = await append(id, "one more");
    expect(more).toMatchObject({
      status: 409,
      body: { success: false, message: expect.stringContaining("100000"), error: { code: "session_full" } },
    });
    expect((await post(`/sessions/chat?sessionId=${id}`, { content: "hello?" })).body.error.code).toBe("session_full");
    const again = await append(id, "the last", { ...minimal.headers, "idempotency-key": "k" });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect((await get(`/sessions/${id}/messages?after=${MAX_LOG_MESSAGES - 1}`)).body.data.messages).toHaveLength(1);

    const session = await createComparison([await createEndpoint()]);
    await env.DB.prepare("update sessions set last_seq = ? where id = ?")
      .bind(MAX_LOG_MESSAGES, session.session_id)
      .run();
    const prompt = await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "hello?" });
    expect(prompt).toMatchObject({ status: 409, body: { detail: expect.stringContaining("256 MB") } });
  }, 120_000);
});
