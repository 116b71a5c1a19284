/** The events of a reply for a reader that takes them when it has time. */
import { expect, it } from "vitest";
import type { ReplyEnd, ReplyEvent } from "../../../src/core/reply.ts";
import { wholeReply } from "../../../src/routes/http/open-reply.ts";
import { ReplyInbox } from "../../../src/routes/http/reply-inbox.ts";

const text = (of: string): ReplyEvent => ({ type: "text", text: of });
const END: ReplyEnd = { type: "end", finishReason: "stop", model: null, usage: null, providerRequestId: null };

const newInbox = (heartbeatMs?: number) => new ReplyInbox(() => undefined, heartbeatMs);

it("has a text at once for a reader that waits", async () => {
  const inbox = newInbox();
  const portion = inbox.next();
  inbox.add([text("a")]);
  inbox.add([text("b")]);
  expect(await portion).toEqual({ text: "ab", final: null });
});

it("has one portion of everything that came while the reader did something else", async () => {
  const inbox = newInbox();
  for (const letter of "abcdef") inbox.add([text(letter)]);
  expect(await inbox.next()).toEqual({ text: "abcdef", final: null });
  inbox.add([text("g"), END]);
  expect(await inbox.next()).toEqual({ text: "g", final: END });
});

it("says when nothing has come for a while, and loses nothing by that", async () => {
  const inbox = newInbox(1);
  expect(await inbox.next()).toBeNull();
  inbox.add([text("a")]);
  expect(await inbox.next()).toEqual({ text: "a", final: null });
  expect(await inbox.next()).toBeNull();
});

it("waits as long each time, whenever the last text came", async () => {
  const inbox = newInbox(200);
  const first = inbox.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  inbox.add([text("a")]);
  await first;
  const started = performance.now();
  expect(await inbox.next()).toBeNull();
  expect(performance.now() - started).toBeGreaterThan(190);
});

it("has the whole text for a reader that waits for the end", async () => {
  const inbox = newInbox(1);
  const whole = wholeReply(inbox);
  inbox.add([text("a")]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  inbox.add([text("b"), END]);
  expect(await whole).toEqual({ text: "ab", final: END });
});
