import { describe, expect, it } from "vitest";
import type { ReplyEvent, ReplyRequest, ReplyStream } from "../../src/core/reply.ts";
import { replyFailed } from "../../src/core/reply.ts";
import type { Share } from "../../src/turn/fan-out.ts";
import { fanOut } from "../../src/turn/fan-out.ts";

const end: ReplyEvent = { type: "end", finishReason: "stop", model: "m", usage: null, providerRequestId: null };

const share = (chatId: string): Share => ({
  chatId,
  endpointId: chatId,
  preparedPrompt: "hi",
  promptTemplate: null,
  contextStrategy: null,
  question: { request: { model: chatId } as ReplyRequest },
});

async function* events(...all: ReplyEvent[]): ReplyStream {
  for (const event of all) yield [event];
}

const ports = (ask: (request: ReplyRequest) => ReplyStream, signal = new AbortController().signal) => {
  const order: string[] = [];
  return { ask, clock: () => 0, signal, settled: ({ chatId }: { chatId: string }) => void order.push(chatId), order };
};

describe("fan out", () => {
  it("has a reply for every chat, whatever becomes of a call", async () => {
    const calls: Record<string, () => ReplyStream> = {
      good: () => events({ type: "text", text: "a" }, { type: "text", text: "b" }, end),
      failed: () =>
        events({ type: "text", text: "part" }, replyFailed("rate_limited", "slow down", { retryAfterSeconds: 3 })),
      silent: () => events({ type: "text", text: "half" }),
      throwing: () => {
        throw new Error("no invocation to be had");
      },
    };
    const replies = await fanOut(
      Object.keys(calls).map(share),
      ports(({ model }) => calls[model]?.() ?? events()),
    );
    expect(
      replies.map(({ chatId, content, detail }) => [chatId, content, detail.status, detail.error?.code ?? null]),
    ).toEqual([
      ["good", "ab", "ok", null],
      ["failed", "part", "error", "rate_limited"],
      ["silent", "half", "error", "connection_lost"],
      ["throwing", "", "error", "connection_lost"],
    ]);
    expect(replies[1]?.retryAfterSeconds).toBe(3);
  });

  it("asks all before any has answered, and tells of each as it settles", async () => {
    const asked: string[] = [];
    const release = new Map<string, () => void>();
    const world = ports(async function* ({ model }) {
      asked.push(model);
      await new Promise<void>((resolve) => release.set(model, resolve));
      yield [end];
    });
    const turn = fanOut(["a", "b", "c"].map(share), world);
    await Promise.resolve();
    expect(asked).toEqual(["a", "b", "c"]);
    for (const chatId of ["c", "a", "b"]) {
      release.get(chatId)?.();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect((await turn).map(({ chatId }) => chatId)).toEqual(["a", "b", "c"]);
    expect(world.order).toEqual(["c", "a", "b"]);
  });

  it("calls a reply cancelled that ended early because it was stopped", async () => {
    const stop = new AbortController();
    const world = ports(async function* () {
      yield [{ type: "text", text: "so far" }];
      stop.abort();
    }, stop.signal);
    const [reply] = await fanOut([share("a")], world);
    expect(reply).toMatchObject({ content: "so far", detail: { status: "cancelled", finishReason: "cancelled" } });
  });
});
