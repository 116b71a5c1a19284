/** The events of a session's own stream, however they are cut into chunks. */
import { expect, it } from "vitest";
import { EventReader } from "../../../src/routes/http/read-events.ts";

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

const readAll = async (reader: EventReader): Promise<unknown[]> => {
  const all: unknown[] = [];
  for (let events = await reader.next(); events !== null; events = await reader.next()) all.push(...events);
  return all;
};

it("are the same whatever the chunks are", async () => {
  for (let size = 1; size <= TEXT.length; size += 1)
    expect(await readAll(new EventReader(streamOf(size)))).toEqual(EVENTS);
});

it("are none for a heartbeat", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void writable.getWriter().write(new TextEncoder().encode(": still here\n\n"));
  expect(await new EventReader(readable).next()).toEqual([]);
});

it("are read no further than they are wanted", async () => {
  let cancelled = false;
  let pulled = 0;
  const [first = ""] = TEXT.split(/(?<=\n\n)/);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode(first));
      },
      cancel: () => void (cancelled = true),
    },
    { highWaterMark: 0 },
  );
  const reader = new EventReader(stream);
  expect(await reader.next()).toEqual(EVENTS.slice(0, 1));
  expect(pulled).toBe(1);
  reader.cancel();
  expect(cancelled).toBe(true);
  expect(await reader.next()).toBeNull();
});
