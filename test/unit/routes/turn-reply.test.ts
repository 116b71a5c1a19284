/** The reply of a turn, from the events of its session. */
import { expect, it, vi } from "vitest";
import { TurnReply } from "../../../src/routes/http/turn-reply.ts";

const STAYS = new AbortController().signal;

const noEnd = () => Promise.resolve(null);

const HEARTBEAT = ": still here\n\n";
const event = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

const turnId = "t";
const delta = (text: string, of = turnId) => event("reply-delta", { turnId: of, text });
const appended = event("message-appended", { turnId, role: "assistant", finishReason: "stop", ttftMs: 5 });
const ended = event("turn-ended", { turnId, status: "ok" });
const END = {
  type: "end",
  model: null,
  providerRequestId: null,
  finishReason: "stop",
  usage: null,
  durationMs: null,
  ttftMs: 5,
};

/** @param chunks each is read by itself; then the stream stays open */
function openStream(chunks: string[]) {
  const waiting = chunks.values();
  const cancel = vi.fn<() => void>();
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { value, done } = waiting.next();
        if (!done) controller.enqueue(new TextEncoder().encode(value));
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return { stream, cancel };
}

function endedStream(error?: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => (error ? controller.error(error) : controller.close()) });
}

it("is the text as it comes, and how the turn ends", async () => {
  const { stream, cancel } = openStream([delta("a") + delta("b"), HEARTBEAT, delta("c"), appended, ended]);
  const reply = new TurnReply(stream, STAYS, noEnd, { turnId });
  expect(await reply.next()).toEqual({ text: "ab", final: null });
  expect(await reply.next()).toBeNull();
  expect(await reply.next()).toEqual({ text: "c", final: null });
  expect(cancel).not.toHaveBeenCalled();
  expect(await reply.next()).toEqual({ text: "", final: END });
  expect(cancel).toHaveBeenCalledOnce();
});

it.each([
  ["which asks callers to wait", { retryAfterSeconds: 7 }, 7],
  ["of an object of an earlier deployment, which does not say", {}, null],
])("is the failure of the provider, %s", async (_, wait, retryAfterSeconds) => {
  const error = { code: "rate_limited", message: "No" };
  const events = event("reply-end", { turnId, status: "error", error }) + event("turn-ended", { turnId, ...wait });
  const reply = new TurnReply(openStream([events]).stream, STAYS, noEnd, { turnId });
  expect((await reply.next())?.final).toMatchObject({ type: "failed", ...error, retryAfterSeconds });
});

it("reads events that end with the turn to their end", async () => {
  const { stream, cancel } = openStream([delta("a") + appended + ended, HEARTBEAT, HEARTBEAT]);
  const read = vi.spyOn(ReadableStreamDefaultReader.prototype, "read");
  const reply = new TurnReply(stream, STAYS, noEnd, { turnId, endsWithTurn: true });
  expect(await reply.next()).toEqual({ text: "a", final: END });
  expect(read).toHaveBeenCalledTimes(2);
  expect(cancel).not.toHaveBeenCalled();
  read.mockRestore();
});

it("has the id of its turn from the first event of an object of an earlier deployment", async () => {
  const reply = new TurnReply(openStream([event("turn-started", { turnId }) + delta("a")]).stream, STAYS, noEnd);
  expect(await reply.begin()).toBe(turnId);
  expect(await reply.next()).toEqual({ text: "a", final: null });
});

it("is of the turn that runs, and of no other, in the events of a session", async () => {
  const snapshot = event("session-snapshot", { turn: { turnId } });
  const reply = new TurnReply(openStream([snapshot + delta("of another", "u") + delta("own")]).stream, STAYS, noEnd);
  expect(await reply.begin()).toBe(turnId);
  expect(await reply.next()).toEqual({ text: "own", final: null });
});

it("is none when no turn runs", async () => {
  const reply = new TurnReply(openStream([event("session-snapshot", { turn: null })]).stream, STAYS, noEnd);
  expect(await reply.begin()).toBe("");
});

it("says that the token of its reader has ended, with the text so far", async () => {
  const closed = (code: number) => event("stream-closed", { code, reason: "so" });
  const { stream, cancel } = openStream([delta("a") + closed(4401)]);
  expect(await new TurnReply(stream, STAYS, noEnd, { turnId }).next()).toEqual({
    text: "a",
    final: { type: "token-ended" },
  });
  expect(cancel).toHaveBeenCalledOnce();
  expect(await new TurnReply(openStream([delta("a") + closed(1013)]).stream, STAYS, noEnd, { turnId }).next()).toEqual({
    text: "a",
    final: null,
  });
});

it.each([
  ["end", undefined, STAYS, 0],
  ["break off", new Error("gone"), STAYS, 1],
  ["break off because the caller leaves", new Error("gone"), AbortSignal.abort(), 0],
])("is interrupted when its events %s", async (_, error, signal, lines) => {
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const reply = new TurnReply(endedStream(error), signal, noEnd);
  expect(await reply.begin()).toBe("");
  expect(await reply.next()).toMatchObject({ text: "", final: { code: "interrupted" } });
  expect(logged).toHaveBeenCalledTimes(lines);
  logged.mockRestore();
});

it.each([
  [
    "what is found of the turn then",
    async () => ({ type: "reader-too-slow" as const }),
    { type: "reader-too-slow" },
    0,
  ],
  ["the turn is not there", async () => null, { code: "interrupted" }, 0],
  ["the turn cannot be read", () => Promise.reject(new Error("D1")), { code: "interrupted" }, 1],
])("ends with %s, when its events break off before the end of the turn", async (_, findEnd, final, lines) => {
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const asked = vi.fn<() => Promise<{ type: "reader-too-slow" } | null>>(findEnd);
  const reply = new TurnReply(endedStream(), STAYS, asked, { turnId });
  expect(await reply.next()).toMatchObject({ text: "", final });
  expect(asked.mock.calls).toEqual([[turnId]]);
  expect(logged).toHaveBeenCalledTimes(lines);
  logged.mockRestore();
});

it("reads no further when its reader has left", async () => {
  const { stream, cancel } = openStream([]);
  const reply = new TurnReply(stream, STAYS, () => Promise.reject(new Error("Nobody wants to know")), { turnId });
  const portion = reply.next();
  reply.stop();
  const logged = vi.spyOn(console, "error");
  expect(await portion).toMatchObject({ final: { code: "interrupted" } });
  expect(cancel).toHaveBeenCalledOnce();
  expect(logged).not.toHaveBeenCalled();
  logged.mockRestore();
});
