/** The stream of one reader: it is cut off when it lags, and it stops reading when the reader has left. */
import { expect, it, vi } from "vitest";
import { EventStream } from "../../../src/live/streaming/event-stream.ts";
import type { StreamEvent } from "../../../src/live/streaming/events.ts";

const delta: StreamEvent = { type: "reply-delta", turnId: "t", chatId: "c", offset: 0, text: "" };

it("cuts off a reader that is more than 4 MiB behind, and no sooner", async () => {
  let gone = 0;
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => (gone += 1));
  const bytes = new Uint8Array(1_048_576);
  for (let n = 0; n < 4; n++) stream.send(delta, bytes);
  await scheduler.wait(5);
  expect(gone).toBe(0);
  stream.send(delta, bytes);
  await scheduler.wait(5);
  expect(gone).toBe(1);
  await expect(stream.readable.getReader().read()).rejects.toThrow();
});

it("stops reading the past when its reader has left", async () => {
  let pages = 0;
  const past = (function* () {
    for (;;) {
      pages += 1;
      yield [delta];
    }
  })();
  const stream = new EventStream({ turnId: null, caller: null, role: null }, () => undefined);
  const replaying = stream.catchUp(past, () => ({}));
  await stream.readable.getReader().read();
  await vi.waitUntil(() => pages === 2);
  stream.abort("The reader has disconnected");
  await replaying;
  expect(pages).toBe(2);
});
