/** Feedback on messages: what can be rated, by whom, where it shows, and the list of all feedback. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { archive } from "../../support/archive.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { breakD1, loseNextD1Answer } from "../../support/faults.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const upstream = inject("upstream");

const chat = (id: string, content: string, headers: Record<string, string> = {}) =>
  post(`/sessions/chat?sessionId=${id}`, { content }, { headers });
const say = (id: string, role: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content } });
const pathOf = (id: string, seq: number | string) => `/sessions/${id}/messages/${seq}/feedback`;
const rate = (id: string, seq: number | string, body: object = { rating: -1 }, options = {}) =>
  put(pathOf(id, seq), body, options);
const messagesOf = async (id: string, query = "") => (await get(`/sessions/${id}/messages${query}`)).body.data.messages;
const feedbackOf = async (id: string) =>
  (await messagesOf(id)).map(({ seq, feedback }: { seq: number; feedback?: object }) => [seq, feedback ?? null]);
const list = async (query: string) => (await get(`/feedback?${query}`)).body.data;
const keyOf = async (role: string, fields: object = {}): Promise<string> =>
  (await post("/keys", { name: role, role, ...fields })).body.data.key;

/** Lets the clock pass to the next millisecond, so that changes have an order. */
const nextMoment = () => scheduler.wait(2);

describe("feedback on a message", () => {
  it("shows with the message, is replaced by the next, and is taken back", async () => {
    const id = await createSession();
    await chat(id, "Where is my parcel?");
    const before = (await get(`/sessions/${id}`)).body.data;
    const given = { rating: -1, tags: ["wrong", "rude"], comment: "It is with the neighbour" };
    const first = await rate(id, 2, given);
    expect(first.status).toBe(200);
    expect(first.body.data).toEqual({ sessionId: id, seq: 2, ...given, updatedAt: expect.any(String) });
    const { updatedAt } = first.body.data;
    expect(await feedbackOf(id)).toEqual([
      [1, null],
      [2, { ...given, updatedAt }],
    ]);
    await nextMoment();
    expect((await rate(id, 2, given)).body.data.updatedAt).toBe(updatedAt);
    const second = await rate(id, 2, { rating: 1 });
    expect(second.body.data).toEqual({ sessionId: id, seq: 2, rating: 1, updatedAt: expect.any(String) });
    expect(Date.parse(second.body.data.updatedAt)).toBeGreaterThan(Date.parse(updatedAt));
    expect((await feedbackOf(id))[1]).toEqual([2, { rating: 1, updatedAt: second.body.data.updatedAt }]);
    const removed = await del(pathOf(id, 2));
    expect([removed.status, removed.body.success]).toEqual([200, true]);
    expect((await feedbackOf(id))[1]).toEqual([2, null]);
    expect((await del(pathOf(id, 2))).status).toBe(404);
    // It has appended nothing, and changed nothing of the session.
    expect((await get(`/sessions/${id}`)).body.data).toEqual(before);
    expect((await messagesOf(id)).map(({ seq }: { seq: number }) => seq)).toEqual([1, 2]);
  });

  it("has at most eight tags of 40 characters, each once, and a comment of 1,000", async () => {
    const id = await createSession();
    await chat(id, "a");
    const tags = Array.from({ length: 8 }, (_, n) => `${n}`.padEnd(40, "x"));
    const full = { rating: 1, tags, comment: "c".repeat(1_000) };
    expect((await rate(id, 2, full)).body.data).toMatchObject(full);
    const bad: [object, string][] = [
      [{}, "rating"],
      [{ rating: 0 }, "rating"],
      [{ rating: "1" }, "rating"],
      [{ rating: 0.5 }, "rating"],
      [{ rating: 1, tags: [...tags, "ninth"] }, "tags"],
      [{ rating: 1, tags: ["x".repeat(41)] }, "tags.0"],
      [{ rating: 1, tags: ["ok", ""] }, "tags.1"],
      [{ rating: 1, tags: ["  "] }, "tags.0"],
      [{ rating: 1, tags: "ok" }, "tags"],
      [{ rating: 1, comment: "c".repeat(1_001) }, "comment"],
      [{ rating: 1, coment: "c" }, "coment"],
    ];
    for (const [body, path] of bad) {
      const { status, body: answer } = await rate(id, 2, body);
      expect([status, answer.error.code, answer.error.details[0].path]).toEqual([400, "invalid_input", path]);
    }
    expect((await feedbackOf(id))[1][1]).toMatchObject(full);
    expect((await rate(id, 2, { rating: 1, tags: ["a", "a"], comment: "" })).body.data).toEqual({
      sessionId: id,
      seq: 2,
      rating: 1,
      tags: ["a"],
      updatedAt: expect.any(String),
    });
  });

  it("is on answers only: a greeting, a reply, also one that was cut, and what a person wrote", async () => {
    const failing = await createEndpoint({
      connector_type: "openai-connector",
      uri: `${upstream}/${crypto.randomUUID()}/in-band-error`,
      token: "t",
      model: "m",
    });
    const id = await createSession({ chatbotId: await createChatbot({ greeting: "Hello", endpointId: failing }) });
    await chat(id, "first");
    await say(id, "system", "Be brief");
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    await chat(id, "second");
    await say(id, "assistant", "Grace here");
    const log = await messagesOf(id);
    const statuses: Record<string, number> = {};
    for (const { seq, role } of log) statuses[`${seq} ${role}`] = (await rate(id, seq)).status;
    expect(statuses).toEqual({
      "1 assistant": 200,
      "2 user": 409,
      "3 assistant": 200,
      "4 system": 409,
      "5 user": 409,
      "6 assistant": 200,
    });
    expect((await rate(id, 2)).body.error.code).toBe("not_an_answer");
    const { results } = await list(`clientId=${(await get(`/sessions/${id}`)).body.data.clientId.id}`);
    expect(results.map(({ message, userMessage }: Record<string, unknown>) => [message, userMessage ?? null])).toEqual([
      [
        {
          role: "assistant",
          content: "Grace here",
          timestamp: log[5].timestamp,
          author: { kind: "human", id: "grace", name: "Grace" },
        },
        { seq: 5, content: "second", timestamp: log[4].timestamp },
      ],
      [
        { role: "assistant", content: log[2].content, timestamp: log[2].timestamp, finishReason: "error" },
        { seq: 2, content: "first", timestamp: log[1].timestamp },
      ],
      [{ role: "assistant", content: "Hello", timestamp: log[0].timestamp }, null],
    ]);
  });

  it("is 404 for a message or a session that does not exist, or that has no text", async () => {
    const failing = await createEndpoint({ params: { fail: 500, fail_times: 1 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId: failing }) });
    expect((await chat(id, "first")).status).toBe(502);
    expect(await messagesOf(id)).toHaveLength(1);
    for (const seq of [2, 3, 0, -1, "01", "1.0", "x", "9".repeat(15), "9".repeat(30)]) {
      const { status, body } = await rate(id, seq);
      expect([seq, status, body.message]).toEqual([seq, 404, expect.stringMatching(/^Message .*not found$/)]);
      expect((await del(pathOf(id, seq))).status).toBe(404);
    }
    const missing = await rate("0123456789abcdef01234567", 1);
    expect([missing.status, missing.body.message]).toEqual([404, "Session not found"]);
    expect((await rate("nowhere", 1)).status).toBe(404);
  });

  it("is saved once, also when D1's answer is lost", async () => {
    const id = await createSession();
    await chat(id, "a");
    loseNextD1Answer();
    expect((await rate(id, 2, { rating: 1, tags: ["b"] })).status).toBe(200);
    vi.restoreAllMocks();
    const { chatbotId } = (await get(`/sessions/${id}`)).body.data;
    expect((await list(`chatbotId=${chatbotId.id}`)).paginatorInfo.total).toBe(1);
    expect((await get(`/chatbots/${chatbotId.id}/stats`)).body.data.ratings).toEqual({ up: 1, down: 0 });
  });

  it("is left out while D1 is down, and a session in use can be read all the same", async () => {
    const id = await createSession();
    await chat(id, "a");
    await rate(id, 2);
    const repair = breakD1();
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(await feedbackOf(id)).toEqual([
      [1, null],
      [2, null],
    ]);
    expect(log).toHaveBeenCalledWith(expect.objectContaining({ event: "feedback-not-read" }));
    expect((await rate(id, 2, { rating: 1 })).status).toBe(503);
    repair();
    expect((await feedbackOf(id))[1][1]).toMatchObject({ rating: -1 });
  });

  it("is on each page of messages that has its message, also on one that is sent while it is read", async () => {
    const id = await createSession();
    for (let n = 1; n <= 6; n++) await say(id, "assistant", `${n} ${"x".repeat(60_000)}`);
    for (const seq of [2, 3, 6]) await rate(id, seq, { rating: 1, comment: `on ${seq}` });
    const commentsOf = (messages: { seq: number; feedback?: { comment: string } }[]) =>
      messages.map(({ seq, feedback }) => [seq, feedback?.comment]);
    const all = [
      [1, undefined],
      [2, "on 2"],
      [3, "on 3"],
      [4, undefined],
      [5, undefined],
      [6, "on 6"],
    ];
    expect(commentsOf(await messagesOf(id))).toEqual(all);
    expect(commentsOf(await messagesOf(id, "?after=2&limit=2"))).toEqual(all.slice(2, 4));
    expect(commentsOf(await messagesOf(id, "?after=5"))).toEqual(all.slice(5));
  });
});

describe("sessions that nobody uses", () => {
  it("can be rated when they have ended, and when they are archived, in whole or in part", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    await chat(id, "first");
    await post(`/sessions/${id}/end`);
    expect((await rate(id, 2, { rating: 1 })).status).toBe(200);
    await archive([id]);
    expect((await rate(id, 2, { rating: -1 })).status).toBe(200);
    expect((await feedbackOf(id))[1][1]).toMatchObject({ rating: -1 });
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    await chat(id, "second");
    await post(`/sessions/${id}/end`);
    expect((await rate(id, 4, { rating: 1 })).status).toBe(200);
    const { results } = await list(`clientId=${clientId}`);
    expect(
      results.map((one: { message: { content: string }; userMessage: { content: string } }) => [
        one.message.content,
        one.userMessage.content,
      ]),
    ).toEqual([
      ["second", "second"],
      ["first", "first"],
    ]);
  });
});

describe("the user message that an answer answers", () => {
  const answeredBy = async (id: string, seq: number) => {
    expect((await rate(id, seq)).status).toBe(200);
    const { results } = await list("limit=100");
    const found = results.find((one: { sessionId: string; seq: number }) => one.sessionId === id && one.seq === seq);
    return found.userMessage?.seq ?? null;
  };

  it("is the prompt of its turn, whatever was added meanwhile", async () => {
    const slow = await createEndpoint({ params: { tokens_per_second: 20 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId: slow }) });
    const asked = chat(id, Array.from({ length: 12 }, (_, n) => `word${n}`).join(" "));
    await vi.waitFor(async () => expect(await messagesOf(id)).toHaveLength(1));
    for (let n = 0; n < 12; n++) await say(id, "user", `meanwhile ${n}`);
    await asked;
    const log = await messagesOf(id);
    expect(log.at(-1)).toMatchObject({ role: "assistant", status: "ok" });
    expect(await answeredBy(id, log.at(-1).seq)).toBe(1);
  });

  it("is the prompt of an earlier turn, if that failed and its call was repeated", async () => {
    const failing = await createEndpoint({ params: { fail: 500, fail_times: 1 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId: failing }) });
    expect((await chat(id, "a", { "idempotency-key": "k" })).status).toBe(502);
    await say(id, "user", "Hello?");
    expect((await chat(id, "a", { "idempotency-key": "k" })).status).toBe(200);
    expect(await answeredBy(id, 4)).toBe(1);
  });

  it("is on the path of the answer: of a variant, of an edited prompt, and of what was added to it", async () => {
    const id = await createSession();
    const statuses = [
      await chat(id, "first"),
      await post(`/sessions/${id}/messages/2/regenerate`, {}),
      await say(id, "assistant", "added behind the second variant"),
      await post(`/sessions/${id}/messages/1/edit`, { content: "edited" }),
      await put(`/sessions/${id}/messages/4/active`),
      await say(id, "assistant", "added behind that"),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    const answered = new Map<number, number>();
    for (const seq of [2, 3, 4, 6, 7]) answered.set(seq, await answeredBy(id, seq));
    expect([...answered]).toEqual([
      [2, 1],
      [3, 1],
      [4, 1],
      [6, 5],
      [7, 1],
    ]);
    const tree = (await get(`/sessions/${id}/messages?tree=true`)).body.data.messages;
    expect(
      tree.map(({ seq, active, feedback }: Record<string, unknown>) => [seq, active, feedback !== undefined]),
    ).toEqual([
      [1, true, false],
      [2, false, true],
      [3, true, true],
      [4, true, true],
      [5, false, false],
      [6, false, true],
      [7, true, true],
    ]);
  });

  it("is the newest before a message that was added, and there may be none", async () => {
    const id = await createSession();
    await say(id, "assistant", "Is anybody there?");
    await say(id, "user", "Yes");
    for (let n = 0; n < 80; n++) await say(id, "assistant", `answer ${n}`);
    expect(await answeredBy(id, 1)).toBeNull();
    expect(await answeredBy(id, 3)).toBe(2);
    expect(await answeredBy(id, 82)).toBe(2);
  });
});

describe("who may rate", () => {
  it("is a client in its own sessions only, and an operator everywhere", async () => {
    const [clientId, otherId] = [await createClient(), await createClient()];
    const [own, foreign] = [await createSession({ clientId }), await createSession({ clientId: otherId })];
    await chat(own, "a");
    await say(own, "system", "secret");
    await chat(foreign, "a");
    const token = await keyOf("client", { clientId });
    expect((await rate(own, 2, { rating: 1 }, { token })).status).toBe(200);
    expect((await get(`/sessions/${own}/messages`, { token })).body.data.messages[1].feedback.rating).toBe(1);
    // A client does not learn that there is a system message.
    expect((await rate(own, 3, { rating: 1 }, { token })).status).toBe(404);
    expect((await rate(own, 3)).status).toBe(409);
    expect((await rate(foreign, 2, { rating: 1 }, { token })).status).toBe(404);
    await rate(foreign, 2);
    expect((await del(pathOf(foreign, 2), { token })).status).toBe(404);
    expect((await feedbackOf(foreign))[1][1]).toMatchObject({ rating: -1 });
    expect((await del(pathOf(own, 2), { token })).status).toBe(200);
    for (const path of ["/feedback", `/clients/${clientId}/stats`])
      expect([path, (await get(path, { token })).status]).toEqual([path, 403]);
    const operator = await keyOf("operator");
    expect((await rate(foreign, 2, { rating: 1 }, { token: operator })).status).toBe(200);
    expect((await get("/feedback", { token: operator })).status).toBe(200);
    expect((await del(pathOf(foreign, 2), { token: operator })).status).toBe(200);
  });
});

describe("the list of feedback", () => {
  /** Six answers of two chatbots to two clients, rated one after another. */
  async function ratedAnswers() {
    const [one, other] = [await createChatbot(), await createChatbot()];
    const [ada, bob] = [await createClient(), await createClient()];
    const given: [string, string, -1 | 1, string[]][] = [
      [one, ada, -1, ["wrong"]],
      [one, ada, 1, ["kind"]],
      [one, bob, -1, ["rude", "wrong"]],
      [other, bob, 1, []],
      [other, ada, -1, ["rude"]],
      [one, bob, 1, ["kind"]],
    ];
    const sessions: string[] = [];
    const times: string[] = [];
    for (const [n, [chatbotId, clientId, rating, tags]] of given.entries()) {
      const id = await createSession({ chatbotId, clientId });
      await chat(id, `question ${n}`);
      await nextMoment();
      times.push((await rate(id, 2, { rating, tags })).body.data.updatedAt);
      sessions.push(id);
    }
    const found = async (query: string) => {
      const { results, paginatorInfo } = await list(query);
      expect(paginatorInfo.count).toBe(results.length);
      return [results.map((result: { sessionId: string }) => sessions.indexOf(result.sessionId)), paginatorInfo.total];
    };
    return { one, other, ada, bob, sessions, times, found };
  }

  it("has each filter and all together, the newest change first, page by page", async () => {
    const { one, other, ada, bob, times, found } = await ratedAnswers();
    expect(await found(`chatbotId=${one}`)).toEqual([[5, 2, 1, 0], 4]);
    expect(await found(`chatbotId=${one}&rating=-1`)).toEqual([[2, 0], 2]);
    expect(await found(`chatbotId=${one}&rating=1`)).toEqual([[5, 1], 2]);
    expect(await found(`chatbotId=${other}`)).toEqual([[4, 3], 2]);
    expect(await found(`clientId=${ada}`)).toEqual([[4, 1, 0], 3]);
    expect(await found(`clientId=${bob}&rating=1&chatbotId=${other}`)).toEqual([[3], 1]);
    expect(await found(`clientId=${ada}&tag=wrong`)).toEqual([[0], 1]);
    expect(await found(`chatbotId=${one}&tag=wrong&rating=-1`)).toEqual([[2, 0], 2]);
    expect(await found(`tag=kind&chatbotId=${other}`)).toEqual([[], 0]);
    expect(await found(`chatbotId=${one}&limit=1&skip=1`)).toEqual([[2], 4]);
    expect(await found(`chatbotId=${one}&startDate=${times[1]}&endDate=${times[2]}`)).toEqual([[2, 1], 2]);
    expect(await found(`tag=wrong&startDate=${times[2]}`)).toEqual([[2], 1]);
    const day = times[0]?.slice(0, 10);
    expect(await found(`clientId=${bob}&startDate=${day}&endDate=${times[5]?.slice(0, 10)}`)).toEqual([[5, 3, 2], 3]);
    expect(await found(`clientId=${bob}&startDate=${times[5]}&endDate=${times[0]}`)).toEqual([[], 0]);
    expect(await found("clientId=0123456789abcdef01234567")).toEqual([[], 0]);
    const [all, total] = await found("limit=100");
    expect(all.filter((n: number) => n >= 0)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(total).toBeGreaterThanOrEqual(6);
  });

  it("follows changes and removals, in its order, its totals and its tags", async () => {
    const { one, sessions, found } = await ratedAnswers();
    await rate(sessions[0] as string, 2, { rating: 1, tags: ["kind"] });
    expect(await found(`chatbotId=${one}`)).toEqual([[0, 5, 2, 1], 4]);
    expect(await found(`chatbotId=${one}&rating=-1`)).toEqual([[2], 1]);
    expect(await found(`chatbotId=${one}&tag=wrong`)).toEqual([[2], 1]);
    expect(await found(`chatbotId=${one}&tag=kind`)).toEqual([[0, 5, 1], 3]);
    await del(pathOf(sessions[5] as string, 2));
    await del(`/sessions/${sessions[1]}`);
    expect(await found(`chatbotId=${one}`)).toEqual([[0, 2], 2]);
    expect(await found(`chatbotId=${one}&tag=kind`)).toEqual([[0], 1]);
    const left = await env.DB.prepare(
      "select count(*) as count from feedback_tags where number not in (select number from message_feedback)",
    ).first("count");
    expect(left).toBe(0);
  });

  it.each([
    "rating=0",
    "rating=good",
    "chatbotId=x",
    "clientId=1",
    `tag=${"x".repeat(41)}`,
    "tag=",
    "limit=101",
    "skip=-1",
    "startDate=soon",
    "tags=a",
  ])("refuses %s", async (query) => {
    expect((await get(`/feedback?${query}`)).status).toBe(400);
  });

  it.each(["x", "語"])("cuts the texts of %s when they are over 2 million characters, and says so", async (letter) => {
    const clientId = await createClient();
    const chatbotId = await createChatbot();
    const contents = ["😀".repeat(20_000), ...Array.from({ length: 24 }, (_, n) => `${n}`.padEnd(90_000, letter))];
    for (const content of contents) {
      const id = await createSession({ clientId, chatbotId });
      await say(id, "user", "short");
      await say(id, "assistant", content);
      await rate(id, 2);
    }
    type Listed = { message: { content: string }; userMessage: { content: string }; truncated?: true };
    const whole: Listed[] = (await list(`clientId=${clientId}&limit=20`)).results;
    expect(whole.map(({ message }) => message.content)).toEqual(contents.toReversed().slice(0, 20));
    expect(whole.some(({ truncated }) => truncated)).toBe(false);
    const cut: Listed[] = (await list(`clientId=${clientId}&limit=100`)).results;
    expect(cut).toHaveLength(25);
    expect(cut.every(({ truncated, userMessage }) => truncated === true && userMessage.content === "short")).toBe(true);
    expect(cut[0]?.message.content).toBe(contents.at(-1)?.slice(0, 8_000));
    expect(cut.at(-1)?.message.content).toBe("😀".repeat(4_000));
  });
});
