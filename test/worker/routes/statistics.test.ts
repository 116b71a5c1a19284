/** Statistics of comparison sessions. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ReplyDetail } from "../../../src/core/message.ts";
import { get, post } from "../../support/api.ts";
import { createComparison, createEndpoint } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";
import { makeReceipt } from "../../support/replies.ts";
import type { LoggedReply } from "../../support/long-log.ts";

const statsOf = async (id: string) => (await get(`/v1/sessions/${id}/stats`)).body;

const NOTHING = {
  count: 0,
  ok: 0,
  cancelled: 0,
  errors: {},
  finish_reasons: {},
  duration_ms: null,
  ttft_ms: null,
  usage: { input_tokens: 0, output_tokens: 0 },
  cost: null,
  priced: 0,
  attempts: 0,
};

const failure = (code: "provider_error" | "rate_limited" | "cancelled"): Partial<ReplyDetail> => ({
  status: code === "cancelled" ? "cancelled" : "error",
  error: { code, message: "It failed." },
  finishReason: code === "cancelled" ? "cancelled" : "error",
  usage: null,
  // Times of failed replies do not count.
  durationMs: 999_999,
  ttftMs: 999_999,
  attempts: 2,
});

describe("statistics", () => {
  it("have a row of zeros for each chat without a prompt", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    expect(await statsOf(session.session_id)).toEqual({
      session_id: session.session_id,
      chats: session.chat_ids.map((chat_id: string, index: number) => ({
        chat_id,
        endpoint: session.endpoints[index],
        ...NOTHING,
      })),
      total: NOTHING,
    });
  });

  it("count outcomes, and compute percentiles of successful replies by nearest rank", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const [first, second] = session.chat_ids;
    const timed = Array.from({ length: 199 }, (_, n): LoggedReply => {
      // 1 to 199, shuffled.
      const durationMs = ((n * 37) % 199) + 1;
      return { chatId: first, content: "ok", reply: { durationMs, ttftMs: n === 0 ? null : 5 } };
    });
    const others: LoggedReply[] = [
      { chatId: second, content: "cut off", reply: { finishReason: "length" } },
      { chatId: second, content: "", reply: failure("provider_error") },
      { chatId: second, content: "part", reply: failure("rate_limited") },
      { chatId: second, content: "", reply: failure("rate_limited") },
      { chatId: second, content: "part", reply: failure("cancelled") },
    ];
    await writeLog(
      session.session_id,
      [...timed, ...others].map((reply) => ({ prompt: "x", replies: [reply] })),
    );
    const { chats, total } = await statsOf(session.session_id);
    expect(chats[0]).toMatchObject({
      count: 199,
      ok: 199,
      cancelled: 0,
      errors: {},
      finish_reasons: { stop: 199 },
      duration_ms: { min: 1, p50: 100, p90: 180, p95: 190, p99: 198, max: 199 },
      ttft_ms: { min: 5, p50: 5, p90: 5, p95: 5, p99: 5, max: 5 },
      attempts: 199,
    });
    expect(chats[1]).toMatchObject({
      count: 5,
      ok: 1,
      cancelled: 1,
      errors: { provider_error: 1, rate_limited: 2 },
      finish_reasons: { length: 1, error: 3, cancelled: 1 },
      duration_ms: { min: 100, p50: 100, p99: 100, max: 100 },
      attempts: 9,
    });
    expect(total).toMatchObject({
      count: 204,
      ok: 200,
      cancelled: 1,
      errors: { provider_error: 1, rate_limited: 2 },
      finish_reasons: { stop: 199, length: 1, error: 3, cancelled: 1 },
      duration_ms: { min: 1, p50: 100, max: 199 },
      attempts: 208,
    });
  });

  it("add up tokens, and the cost of what has prices", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint(), await createEndpoint()]);
    const [priced, half, free] = session.chat_ids;
    const usage = { inputTokens: 100_000, outputTokens: 200_000 };
    const receipt = makeReceipt({ prices: { inputPerMillion: 1, outputPerMillion: 0.5 } });
    const replies: LoggedReply[] = [
      { chatId: priced, content: "a", reply: { usage, receipt } },
      { chatId: half, content: "b", reply: { usage, receipt: makeReceipt({ prices: null }) } },
      { chatId: free, content: "c", reply: { usage: null, receipt } },
    ];
    await writeLog(session.session_id, [
      { prompt: "x", replies },
      { prompt: "x", replies: [{ chatId: half, content: "d", reply: { usage, receipt } }] },
      { prompt: "x", replies: [{ chatId: priced, content: "e", reply: { usage, receipt } }] },
    ]);
    const { chats, total } = await statsOf(session.session_id);
    const tokens = (replied: number) => ({ input_tokens: replied * 100_000, output_tokens: replied * 200_000 });
    expect(chats).toMatchObject([
      { usage: tokens(2), cost: 0.4, priced: 2 },
      { usage: tokens(2), cost: 0.2, priced: 1 },
      { usage: tokens(0), cost: null, priced: 0 },
    ]);
    expect(total).toMatchObject({ usage: tokens(4), cost: 0.6, priced: 3 });
  });

  it("have a row for each chat when an endpoint is used twice, whether the session is active or has ended", async () => {
    const id = await createEndpoint();
    const session = await createComparison([id, id, await createEndpoint({ params: { fail: 400 } })]);
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "one two" });
    const live = await statsOf(session.session_id);
    expect(live.chats).toMatchObject([
      { chat_id: session.chat_ids[0], endpoint: id, count: 1, usage: { input_tokens: 2, output_tokens: 2 } },
      { chat_id: `${session.chat_ids[0]}_2`, endpoint: id, count: 1 },
      { count: 1, ok: 0, errors: { provider_rejected: 1 }, duration_ms: null },
    ]);
    expect(live.total).toMatchObject({ count: 3, ok: 2 });
    const object = env.SESSIONS.getByName(session.session_id);
    await object.end({ history: "added" });
    await vi.waitFor(async () => expect(await object.read({ history: "added" })).toEqual({ ok: true, value: null }), {
      timeout: 30_000,
    });
    expect(await statsOf(session.session_id)).toEqual(live);
  });

  it("count every message of a long log", async () => {
    const session = await createComparison([await createEndpoint()]);
    const [chatId] = session.chat_ids;
    await writeLog(
      session.session_id,
      Array.from({ length: 1_200 }, (_, n) => ({ prompt: `${n}`, replies: [{ chatId, content: "x" }] })),
    );
    expect((await statsOf(session.session_id)).total.count).toBe(1_200);
  });
});
