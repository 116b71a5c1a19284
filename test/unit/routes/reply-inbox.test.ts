/** The events of a reply for a reader that takes them when it has time. */
import { expect, it } from "vitest";
import type { ReplyEnd, ReplyEvent } from "../../../src/core/reply.ts";
import { ReplyInbox } from "../../../src/routes/http/reply-inbox.ts";

const text = (of: string): ReplyEvent => ({ type: "text", text: of });
const END: ReplyEnd = { type: "end", finishReason: "stop", model: null, usage: null, providerRequestId: null };

it("has a text at once for a reader that waits", async () => {
  const inbox = new ReplyInbox();
  const portion = inbox.next(60_000);
  inbox.add([text("a")]);
  inbox.add([text("b")]);
  expect(await portion).toEqual({ text: "ab", final: null });
});

it("has one portion of everything that came while the reader did something else", async () => {
  const inbox = new ReplyInbox();
  for (const letter of "abcdef") inbox.add([text(letter)]);
  expect(await inbox.next(60_000)).toEqual({ text: "abcdef", final: null });
  inbox.add([text("g"), END]);
  expect(await inbox.next(60_000)).toEqual({ text: "g", final: END });
});

it("says when nothing has come in time, and loses nothing by that", async () => {
  const inbox = new ReplyInbox();
  expect(await inbox.next(1)).toBeNull();
  inbox.add([text("a")]);
  expect(await inbox.next(1)).toEqual({ text: "a", final: null });
});

it("has the whole text for a reader that waits for the end", async () => {
  const inbox = new ReplyInbox();
  const all = inbox.all();
  inbox.add([text("a")]);
  inbox.add([text("b"), END]);
  expect(await all).toEqual({ text: "ab", final: END });
});

it("waits as long as each wait says, whatever the one before was", async () => {
  const inbox = new ReplyInbox();
  const long = inbox.next(60_000);
  inbox.add([text("a")]);
  await long;
  expect(await inbox.next(1)).toBeNull();
  inbox.add([text("b")]);
  expect(await inbox.next(60_000)).toEqual({ text: "b", final: null });
  expect(await inbox.next(1)).toBeNull();
});
