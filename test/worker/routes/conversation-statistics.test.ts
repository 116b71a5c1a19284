/** Statistics of chatbots and clients: what counts, on which day, and that all totals equal a recount. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { ReplyCounter } from "../../../src/core/reply-statistics.ts";
import { del, get, post, put } from "../../support/api.ts";
import { archive, textOf } from "../../support/archive.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { loseEveryOtherD1Answer, runAlarms } from "../../support/faults.ts";
import { writeLog } from "../../support/long-log.ts";
import type { LoggedReply } from "../../support/long-log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const NOTHING = {
  sessions: 0,
  turns: 0,
  messages: 0,
  replies: { ok: 0, cancelled: 0, errors: {} },
  usage: { input_tokens: 0, output_tokens: 0 },
  ratings: { up: 0, down: 0 },
  takeovers: 0,
};

type Scope = "chatbots" | "clients";
const statsOf = async (scope: Scope, id: string, query = "") => (await get(`/${scope}/${id}/stats${query}`)).body.data;

const chat = (id: string, content: string, headers: Record<string, string> = {}) =>
  post(`/sessions/chat?sessionId=${id}`, { content }, { headers });
const say = (id: string, role: string, content: string, timestamp?: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content, timestamp } });
const takeOver = (id: string, operator = "grace") =>
  post(`/sessions/${id}/takeover`, { operator: { id: operator, name: operator } });
const rate = (id: string, seq: number, rating: number) => put(`/sessions/${id}/messages/${seq}/feedback`, { rating });
const today = () => new Date().toISOString().slice(0, 10);

/** Until D1 has what was just done. */
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 100 });

/** A chatbot, a client and a session of them. */
async function createAll(fields: Record<string, unknown> = {}, endpoint: Record<string, unknown> = {}) {
  const chatbotId = await createChatbot({ endpointId: await createEndpoint(endpoint), ...fields });
  const clientId = await createClient();
  return { chatbotId, clientId, id: await createSession({ chatbotId, clientId }) };
}

describe("statistics of a chatbot and a client", () => {
  it("are zeros, without times and cost, as long as nothing has happened", async () => {
    expect(await statsOf("chatbots", await createChatbot())).toEqual(NOTHING);
    expect(await statsOf("clients", await createClient())).toEqual(NOTHING);
    const missing = await get("/chatbots/0123456789abcdef01234567/stats");
    expect([missing.status, missing.body.message]).toEqual([404, "Chatbot not found"]);
    expect((await get("/clients/0123456789abcdef01234567/stats")).body.message).toBe("Client not found");
    expect((await get("/clients/x/stats")).status).toBe(404);
    const deleted = await createClient();
    await del(`/clients/${deleted}`);
    expect((await get(`/clients/${deleted}/stats`)).status).toBe(404);
  });

  it("count sessions, turns, messages with text, outcomes, tokens and cost", async () => {
    const prices = { input_per_million: 2, output_per_million: 4 };
    const { chatbotId, clientId, id } = await createAll(
      { greeting: "Hello there" },
      { prices, params: { fail: 500, fail_times: 1 } },
    );
    expect((await chat(id, "one", { "idempotency-key": "k" })).status).toBe(502);
    // Asks again without a second message: a turn of its own.
    expect((await chat(id, "one", { "idempotency-key": "k" })).status).toBe(200);
    await chat(id, "two words");
    await say(id, "user", "later");
    const expected = {
      sessions: 1,
      turns: 3,
      messages: 6,
      replies: { ok: 2, cancelled: 0, errors: { provider_error: 1 } },
      usage: { input_tokens: expect.any(Number), output_tokens: 3 },
      cost: expect.any(Number),
    };
    const stats = (await get(`/sessions/${id}/stats`)).body.data;
    await eventually(async () => {
      for (const [scope, owner] of [
        ["chatbots", chatbotId],
        ["clients", clientId],
      ] as const) {
        const counted = await statsOf(scope, owner);
        expect(counted).toMatchObject(expected);
        expect(counted.replies).toEqual(expected.replies);
        expect(counted.usage).toEqual({
          input_tokens: stats.usage.inputTokens,
          output_tokens: stats.usage.outputTokens,
        });
        expect(counted.cost).toBe(stats.cost);
        expect([counted.duration_ms.min, counted.duration_ms.max]).toEqual([
          stats.durationMs.min,
          stats.durationMs.max,
        ]);
        expect([counted.ttft_ms.min, counted.ttft_ms.max]).toEqual([stats.ttftMs.min, stats.ttftMs.max]);
      }
    });
  });

  it("have percentiles within 1 % of the measured times, and the shortest and longest time exactly", async () => {
    const { chatbotId, id } = await createAll();
    const timed = Array.from({ length: 700 }, (_, n): LoggedReply => {
      // From 1 ms to about ten minutes.
      const durationMs = Math.round(Math.exp(((n * 37) % 700) / 52.6));
      return {
        chatId: id,
        content: "ok",
        reply: { durationMs, ttftMs: n % 7 === 0 ? null : Math.ceil(durationMs / 3) },
      };
    });
    const failed: LoggedReply = {
      chatId: id,
      content: "",
      reply: { status: "error", error: { code: "provider_timeout", message: "" }, durationMs: 999_999, ttftMs: 9 },
    };
    await writeLog(
      id,
      [...timed, failed].map((reply) => ({ prompt: "x", replies: [reply] })),
    );
    const exact = (await get(`/sessions/${id}/stats`)).body.data;
    const counted = await statsOf("chatbots", chatbotId);
    expect(counted.replies).toEqual({ ok: 700, cancelled: 0, errors: { provider_timeout: 1 } });
    for (const [name, times] of [
      ["duration_ms", exact.durationMs],
      ["ttft_ms", exact.ttftMs],
    ]) {
      expect(Object.keys(counted[name])).toEqual(["min", "p50", "p90", "p95", "p99", "max"]);
      expect([counted[name].min, counted[name].max]).toEqual([times.min, times.max]);
      for (const percentile of ["p50", "p90", "p95", "p99"])
        expect(Math.abs(counted[name][percentile] / times[percentile] - 1)).toBeLessThan(0.0101);
    }
  });

  it("count a message on the day of its timestamp, a session on that of its creation", async () => {
    const { chatbotId, clientId, id } = await createAll();
    for (const timestamp of [
      "2020-01-01T00:00:00.000Z",
      "2020-01-01T23:59:59.999Z",
      "2020-01-02T00:00:00.000Z",
      "2020-01-03T01:00:00+02:00",
      "1969-12-31T23:59:59.999Z",
      "1969-12-30T00:00:00.000Z",
    ])
      await say(id, "user", "imported", timestamp);
    const messages = async (scope: Scope, query: string) => {
      const { messages: count, sessions } = await statsOf(scope, scope === "chatbots" ? chatbotId : clientId, query);
      return [count, sessions];
    };
    await eventually(async () => expect(await messages("chatbots", "")).toEqual([6, 1]));
    for (const scope of ["chatbots", "clients"] as const) {
      expect(await messages(scope, "?startDate=2020-01-01&endDate=2020-01-01")).toEqual([2, 0]);
      expect(await messages(scope, "?startDate=2020-01-02&endDate=2020-01-02")).toEqual([2, 0]);
      expect(await messages(scope, "?startDate=2020-01-01T12:00:00Z&endDate=2020-01-02T12:00:00Z")).toEqual([4, 0]);
      expect(await messages(scope, "?startDate=1969-12-31&endDate=1969-12-31")).toEqual([1, 0]);
      expect(await messages(scope, "?endDate=1969-12-31")).toEqual([2, 0]);
      expect(await messages(scope, `?startDate=${today()}`)).toEqual([0, 1]);
      expect(await messages(scope, "?startDate=2020-01-02&endDate=2020-01-01")).toEqual([0, 0]);
    }
    expect((await get(`/chatbots/${chatbotId}/stats?startDate=soon`)).status).toBe(400);
    expect((await get(`/chatbots/${chatbotId}/stats?from=2020-01-01`)).status).toBe(400);
  });

  it("count take-overs, and not the same call again", async () => {
    const { chatbotId, clientId, id } = await createAll();
    await post(`/sessions/${id}/request-human`, {});
    await takeOver(id);
    await takeOver(id);
    await say(id, "assistant", "Grace here");
    await takeOver(id, "alan");
    await post(`/sessions/${id}/handback`, { note: "done" });
    await post(`/sessions/${id}/request-human`, {});
    await takeOver(id, "alan");
    await post(`/sessions/${id}/end`);
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    await takeOver(id, "alan");
    for (const [scope, owner] of [
      ["chatbots", chatbotId],
      ["clients", clientId],
    ] as const)
      await eventually(async () => expect((await statsOf(scope, owner)).takeovers).toBe(4));
  });

  it("count ratings as they are now, on the day of their last change", async () => {
    const { chatbotId, clientId, id } = await createAll();
    await chat(id, "a");
    await chat(id, "b");
    const both = async () => [
      (await statsOf("chatbots", chatbotId)).ratings,
      (await statsOf("clients", clientId)).ratings,
    ];
    const twice = (up: number, down: number) => [
      { up, down },
      { up, down },
    ];
    await rate(id, 2, 1);
    await rate(id, 4, 1);
    expect(await both()).toEqual(twice(2, 0));
    await rate(id, 4, -1);
    await rate(id, 4, -1);
    expect(await both()).toEqual(twice(1, 1));
    expect((await statsOf("chatbots", chatbotId, `?startDate=${today()}`)).ratings).toEqual({ up: 1, down: 1 });
    expect((await statsOf("chatbots", chatbotId, "?endDate=2020-01-01")).ratings).toEqual({ up: 0, down: 0 });
    await del(`/sessions/${id}/messages/2/feedback`);
    expect(await both()).toEqual(twice(0, 1));
  });

  it("keep what was counted when a session is deleted", async () => {
    const { chatbotId, clientId, id } = await createAll();
    await chat(id, "a");
    await rate(id, 2, -1);
    await eventually(async () => expect((await statsOf("clients", clientId)).messages).toBe(2));
    const before = await statsOf("chatbots", chatbotId);
    expect(before).toMatchObject({ sessions: 1, turns: 1, messages: 2, ratings: { up: 0, down: 1 } });
    await del(`/sessions/${id}`);
    expect(await statsOf("chatbots", chatbotId)).toEqual(before);
  });

  it("count everything once when batches are written twice because their answers are lost", async () => {
    const { chatbotId, id } = await createAll();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    loseEveryOtherD1Answer();
    for (let n = 0; n < 10; n++) await chat(id, `word${n}`);
    await takeOver(id);
    for (let n = 0; n < 10; n++) await runAlarms(id);
    vi.restoreAllMocks();
    await runAlarms(id);
    await eventually(async () =>
      expect(await statsOf("chatbots", chatbotId)).toMatchObject({
        turns: 10,
        messages: 20,
        replies: { ok: 10 },
        takeovers: 1,
      }),
    );
  });

  it("count what a branch copies as messages, and not as replies that were asked for again", async () => {
    const { chatbotId, id } = await createAll();
    await chat(id, "one");
    await chat(id, "two");
    const branch = (await post(`/sessions/${id}/branch`, { seq: 3 })).body.data.id;
    await chat(branch, "three");
    await post(`/sessions/${branch}/messages/5/regenerate`, {});
    await eventually(async () =>
      expect(await statsOf("chatbots", chatbotId)).toMatchObject({
        sessions: 2,
        turns: 4,
        messages: 4 + 3 + 3,
        replies: { ok: 4 },
      }),
    );
  });

  it("do not count comparisons", async () => {
    const count = () => env.DB.prepare("select sum(messages) as count from daily_statistics").first<number>("count");
    const before = await count();
    const endpoint = await createEndpoint();
    const { body } = await post("/v1/sessions", { name: "c", endpoints: [endpoint] });
    await post(`/v1/sessions/${body.session.session_id}/prompt`, { prompt: "a" });
    expect(await count()).toBe(before);
  });
});

/** Numbers from 0 to 1, always the same for a seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What a recount has found for one chatbot or one client. */
class Recount {
  sessions = 0;
  turns = 0;
  messages = 0;
  takeovers = 0;
  cost = 0;
  readonly ratings = { up: 0, down: 0 };
  readonly replies = new ReplyCounter();

  get totals() {
    const { ok, cancelled, errors, usage } = this.replies.statistics;
    return {
      sessions: this.sessions,
      turns: this.turns,
      messages: this.messages,
      replies: { ok, cancelled, errors },
      usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
      ratings: this.ratings,
      takeovers: this.takeovers,
    };
  }
}

const SESSIONS = inject("countedSessions");
const AT_ONCE = 8;
const STEPS = 6;

describe(`${SESSIONS} random sessions`, () => {
  const recounts = new Map<string, Recount>();
  const recountsOf = (ids: string[]) =>
    ids.map((id) => {
      const found = recounts.get(id) ?? new Recount();
      recounts.set(id, found);
      return found;
    });

  interface Random {
    id: string;
    counts: Recount[];
    next: () => number;
    operator: string | null;
  }

  const add = (counts: Recount[], of: "turns" | "takeovers" | "sessions" | "messages", count = 1) => {
    for (const each of counts) each[of] += count;
  };

  /** A turn that a person answers has no reply, so that it is not in the export. */
  const addIfHuman = (counts: Recount[], { status }: { status: number }) => {
    expect([200, 202, 502, 503, 504]).toContain(status);
    if (status === 202) add(counts, "turns");
  };

  const ACTIONS: ((session: Random) => Promise<unknown>)[] = [
    async ({ id, counts, next }) => addIfHuman(counts, await chat(id, `word ${Math.floor(next() * 1e6)}`)),
    async ({ id, counts }) => {
      const asked = chat(id, "a b c d e f g h i j");
      await post(`/sessions/${id}/stop`);
      addIfHuman(counts, await asked);
    },
    async ({ id, next }) => {
      const { messages } = (await get(`/sessions/${id}/messages?tree=true`)).body.data;
      const one = messages[Math.floor(next() * messages.length)];
      if (one?.role === "user") await post(`/sessions/${id}/messages/${one.seq}/edit`, { content: "in other words" });
      else if (one) await post(`/sessions/${id}/messages/${one.seq}/regenerate`, {});
    },
    async ({ id, next }) => say(id, ["user", "assistant", "system"][Math.floor(next() * 3)] as string, "appended"),
    async (session) => {
      const operator = session.next() < 0.5 ? "grace" : "alan";
      await takeOver(session.id, operator);
      if (session.operator !== operator) add(session.counts, "takeovers");
      session.operator = operator;
    },
    async (session) => {
      await post(`/sessions/${session.id}/handback`, {});
      session.operator = null;
    },
    async ({ id, next }) => {
      for (const { seq, role } of (await get(`/sessions/${id}/messages`)).body.data.messages)
        if (role === "assistant" && next() < 0.7) await rate(id, seq, next() < 0.5 ? 1 : -1);
    },
    async ({ id, next }) => {
      const { messages } = (await get(`/sessions/${id}/messages`)).body.data;
      const rated = messages.filter(({ feedback }: { feedback?: object }) => feedback);
      const one = rated[Math.floor(next() * rated.length)];
      if (one) await del(`/sessions/${id}/messages/${one.seq}/feedback`);
    },
    async (session) => {
      await post(`/sessions/${session.id}/end`);
      if (session.next() < 0.2) await archive([session.id]);
      await put(`/sessions/${session.id}`, { status: "ACTIVE" });
      session.operator = null;
    },
  ];

  async function runSession(chatbotId: string, clientId: string, next: () => number): Promise<void> {
    const counts = recountsOf([chatbotId, clientId]);
    const session: Random = { id: await createSession({ chatbotId, clientId }), counts, next, operator: null };
    add(counts, "sessions");
    for (let step = 0; step < STEPS; step++) await ACTIONS[Math.floor(next() * ACTIONS.length)]?.(session);
    await recount(session);
    if (next() < 0.2) await del(`/sessions/${session.id}`);
  }

  /** Counts what the export and the messages show. */
  async function recount({ id, counts }: Random): Promise<void> {
    const { messages } = (await get(`/sessions/${id}/messages?tree=true&limit=1000`)).body.data;
    add(counts, "messages", messages.filter(({ content }: { content: string }) => content !== "").length);
    for (const { feedback } of messages)
      if (feedback) for (const { ratings } of counts) ratings[feedback.rating === 1 ? "up" : "down"] += 1;
    const lines = (await textOf(`/sessions/${id}/export`)).slice(4).split("\n").filter(Boolean);
    for (const line of lines) {
      const reply = JSON.parse(line);
      add(counts, "turns");
      for (const one of counts) {
        one.replies.add(reply);
        one.cost += reply.cost ?? 0;
      }
    }
  }

  it("have totals that equal a recount over the exports", { timeout: 60_000 + SESSIONS * 500 }, async () => {
    const endpoints = [
      { params: {}, prices: { input_per_million: 0.15, output_per_million: 0.6 } },
      { params: { tokens_per_second: 100 } },
      { params: { fail: 503, fail_times: 1, max_attempts: 1 } },
      { params: { fail: "timeout", max_attempts: 1, timeout_ms: 20 } },
      { connector_type: "eliza-connector" },
    ];
    const chatbots = await Promise.all(
      endpoints.map(async (fields, n) =>
        createChatbot({ endpointId: await createEndpoint(fields), ...(n % 2 === 0 ? { greeting: "Hello" } : {}) }),
      ),
    );
    const clients = await Promise.all(Array.from({ length: 7 }, () => createClient()));
    let started = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, worker) => {
        const next = randomNumbers(worker + 1);
        while (started++ < SESSIONS) {
          const pick = (ids: string[]) => ids[Math.floor(next() * ids.length)] as string;
          await runSession(pick(chatbots), pick(clients), next);
        }
      }),
    );
    for (const [scope, ids] of [
      ["chatbots", chatbots],
      ["clients", clients],
    ] as const)
      for (const id of ids)
        await eventually(async () => {
          const { cost, ttft_ms, duration_ms, ...counted } = await statsOf(scope, id);
          const [expected] = recountsOf([id]) as [Recount];
          expect(counted).toEqual(expected.totals);
          expect(cost ?? 0).toBeCloseTo(expected.cost, 12);
          const { durationMs, ttftMs } = expected.replies.statistics;
          expect([duration_ms?.min, duration_ms?.max]).toEqual([durationMs?.min, durationMs?.max]);
          expect([ttft_ms?.min, ttft_ms?.max]).toEqual([ttftMs?.min, ttftMs?.max]);
        });
  });
});
