/** The events of a session's own stream, however they are cut into chunks. */
import { expect, it } from "vitest";
import { readOwnEvents } from "../../../src/routes/http/read-events.ts";

const TEXT = [
  'event: turn-started\ndata: {"type":"turn-started","turnId":"t"}\n\n',
  ": still here\n\n",
  'event: message-appended\nid: 7\ndata: {"type":"message-appended","content":"a\\n\\ndata: ü🎉"}\n\n',
  'event: turn-ended\ndata: {"type":"turn-ended"}\n\n',
].join("");
const EVENTS = [
  { type: "turn-started", turnId: "t" },
  { type: "message-appended", content: "a\n\ndata: ü🎉" },
  { type: "turn-ended" },
];

const streamOf = (size: number): ReadableStream<Uint8Array> => {
  const bytes = new TextEncoder().encode(TEXT);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
};

it("are the same whatever the chunks are", async () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const events: unknown[] = [];
    await readOwnEvents(streamOf(size), new AbortController().signal, (event) => events.push(event) > 0);
    expect(events).toEqual(EVENTS);
  }
});

it("are read no further than they are wanted", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode(TEXT)),
    cancel: () => void (cancelled = true),
  });
  const events: unknown[] = [];
  await readOwnEvents(stream, new AbortController().signal, (event) => events.push(event) < 2);
  expect(events).toEqual(EVENTS.slice(0, 2));
  expect(cancelled).toBe(true);
});

it("end when the reader leaves", async () => {
  const controller = new AbortController();
  const stream = new ReadableStream<Uint8Array>();
  const read = readOwnEvents(stream, controller.signal, () => true);
  controller.abort();
  await read;
  await readOwnEvents(new ReadableStream(), controller.signal, () => true);
});
