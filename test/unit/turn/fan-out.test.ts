/** One prompt to several endpoints: each chat gets a reply, with its metrics and receipt. */
import { describe, expect, it } from "vitest";
import type { ReplyDetail } from "../../../src/core/message.ts";
import type { ReplyEvent, ReplyRequest } from "../../../src/core/reply.ts";
import { replyFailure } from "../../../src/core/reply.ts";
import type { OnReplyEvents, ProviderCall, ChatTask } from "../../../src/turn/fan-out.ts";
import { fanOut, withPrices } from "../../../src/turn/fan-out.ts";
import { makeReceipt, makeReplyDetail } from "../../support/replies.ts";

const end: ReplyEvent = { type: "end", finishReason: "stop", model: "m", usage: null, providerRequestId: null };

const makeTask = (chatId: string): ChatTask => ({
  chatId,
  endpointId: chatId,
  preparedPrompt: "hi",
  promptTemplate: null,
  contextStrategy: null,
  prices: null,
  call: { request: { model: chatId } as ReplyRequest },
});

/** Plays fixed events per chat, and records the callbacks. */
const makeWorld = (eventsByChat: Record<string, ReplyEvent[]>) => {
  const order: string[] = [];
  const callEndpoints = async (calls: ProviderCall[], onEvents: OnReplyEvents) => {
    for (const { chatId } of calls) for (const event of eventsByChat[chatId] ?? []) onEvents(chatId, [event]);
  };
  const pieces: string[] = [];
  return {
    callEndpoints,
    clock: () => 0,
    signalOf: () => new AbortController().signal,
    onText: (chatId: string, text: string) => void pieces.push(`${chatId}: ${text}`),
    onReply: ({ chatId }: { chatId: string }) => void order.push(chatId),
    order,
    pieces,
  };
};

describe("fan out", () => {
  it("has a reply for every chat, whatever happens to a call", async () => {
    const eventsByChat: Record<string, ReplyEvent[]> = {
      good: [{ type: "text", text: "a" }, { type: "text", text: "b" }, end],
      failed: [{ type: "text", text: "part" }, replyFailure("rate_limited", "slow down", { retryAfterSeconds: 3 })],
      stopped: [{ type: "text", text: "half" }, replyFailure("cancelled", "stopped")],
      silent: [replyFailure("connection_lost", "broke off")],
    };
    const world = makeWorld(eventsByChat);
    const replies = await fanOut(Object.keys(eventsByChat).map(makeTask), world);
    expect(
      replies.map(({ chatId, content, detail }) => [chatId, content, detail.status, detail.error?.code ?? null]),
    ).toEqual([
      ["good", "ab", "ok", null],
      ["failed", "part", "error", "rate_limited"],
      ["stopped", "half", "cancelled", "cancelled"],
      ["silent", "", "error", "connection_lost"],
    ]);
    expect(world.pieces).toEqual(["good: a", "good: b", "failed: part", "stopped: half"]);
    expect(replies[1]?.retryAfterSeconds).toBe(3);
    expect(replies[2]?.detail.finishReason).toBe("cancelled");
  });

  it("calls all endpoints before any has replied, and reports each as it ends", async () => {
    const asked: string[] = [];
    const world = makeWorld({});
    const callEndpoints = async (calls: ProviderCall[], onEvents: OnReplyEvents) => {
      asked.push(...calls.map(({ chatId }) => chatId));
      for (const chatId of ["c", "a", "b"]) onEvents(chatId, [end]);
    };
    const replies = await fanOut(["a", "b", "c"].map(makeTask), { ...world, callEndpoints });
    expect(asked).toEqual(["a", "b", "c"]);
    expect(replies.map(({ chatId }) => chatId)).toEqual(["a", "b", "c"]);
    expect(world.order).toEqual(["c", "a", "b"]);
  });

  it("does not call an endpoint that has an error already, and keeps the error", async () => {
    const gone: ChatTask = { ...makeTask("gone"), call: { error: { code: "endpoint_missing", message: "no such" } } };
    const [reply] = await fanOut([gone], makeWorld({ gone: [end] }));
    expect(reply?.detail).toMatchObject({
      status: "error",
      attempts: 0,
      durationMs: 0,
      error: { code: "endpoint_missing" },
    });
  });
});

it("writes the prices of the time into the receipt, or beside the usage of a reply without one", () => {
  const prices = { inputPerMillion: 1, outputPerMillion: 2 };
  const replyOf = (detail: Partial<ReplyDetail>) => ({
    chatId: "a",
    content: "hi",
    retryAfterSeconds: null,
    detail: makeReplyDetail(detail),
  });
  const withReceipt = withPrices(replyOf({ receipt: makeReceipt({ prices: null }) }), prices);
  expect(withReceipt.detail).toEqual(makeReplyDetail({ receipt: makeReceipt({ prices }) }));
  expect(withPrices(replyOf({}), prices).detail).toEqual(makeReplyDetail({ prices }));
  for (const [detail, given] of [
    [{ usage: null }, prices],
    [{}, null],
  ] as const)
    expect(withPrices(replyOf(detail), given).detail).toEqual(makeReplyDetail(detail));
});

describe("the metrics of a reply", () => {
  const replyDetail = async (text: string, body: string) => {
    const receipt = makeReceipt({ body, prices: null });
    const metrics = { queueMs: 5, durationMs: 40, ttftMs: 20, calls: 3, receipt };
    const [reply] = await fanOut(
      [makeTask("a")],
      makeWorld({
        a: [
          { type: "text", text },
          { ...end, metrics },
        ],
      }),
    );
    return reply?.detail;
  };

  it("are those that were measured with the calls", async () => {
    expect(await replyDetail("hi", "{}")).toMatchObject({ queueMs: 5, durationMs: 40, ttftMs: 20, attempts: 3 });
    expect((await replyDetail("hi", "{}"))?.receipt).toEqual(makeReceipt({ body: "{}", prices: null }));
  });

  it("has no body in the receipt when the row would be too large", async () => {
    const [fits, large] = [
      await replyDetail("x".repeat(399_000), "y".repeat(200_000)),
      await replyDetail("x".repeat(400_000), "y".repeat(200_000)),
    ];
    expect(fits?.receipt?.body).toHaveLength(200_000);
    expect(large?.receipt).toEqual(makeReceipt({ body: null, prices: null }));
  });
});
