/** Reading of event streams: every chunking gives the same events, in linear time, and other work is not held up. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../../src/net/sse.ts";
import type { ServerSentEvent } from "../../../src/net/sse.ts";

const MIB = 1_048_576;

/** A body that is always ready: reading it never waits for I/O. */
function bodyOf(chunks: Iterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}

async function read(chunks: Iterable<string>): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const portion of readEvents(bodyOf(chunks), new AbortController().signal)) events.push(...portion);
  return events;
}

function* repeat(text: string, times: number): Generator<string> {
  for (let time = 0; time < times; time += 1) yield text;
}

describe("line ends", () => {
  it("may be of any kind, and cut anywhere", async () => {
    const lineEnds = fc.constantFrom("\n", "\r", "\r\n");
    const lines = fc.array(fc.constantFrom("data: a", "data:b", ": c", "event: e", "", '{"d": 1}'));
    await fc.assert(
      fc.asyncProperty(lines, lineEnds, fc.integer({ min: 1, max: 7 }), async (parts, lineEnd, size) => {
        const plain = parts.map((line) => `${line}\n`).join("");
        const text = parts.map((line) => line + lineEnd).join("");
        const chunks = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
        expect(await read(chunks)).toEqual(await read([plain]));
      }),
      { numRuns: 300 },
    );
  });
});

// Each would take minutes, far more than a test may, if the time grew with the square of the length.
describe("takes linear time for", () => {
  it("a long line in small chunks", async () => {
    const [event] = await read(["data: ", ...repeat("0123456789abcdef", (4 * MIB) / 16 - 10), "\n\n"]);
    expect(event?.data).toHaveLength(4 * MIB - 160);
  });

  it("lines that end with a carriage return only, in large chunks", async () => {
    expect(await read(repeat("data: a\r\r".repeat(440_000), 4))).toHaveLength(4 * 440_000);
  });

  it("a document of many lines", async () => {
    const [event] = await read(repeat("}\n".repeat(8_192), 128));
    expect(event?.data).toHaveLength(2 * MIB - 1);
  });
});

it("lets other work run while it parses a large answer that is all there already", async () => {
  let ticks = 0;
  let isDone = false;
  const tick = () => {
    ticks += 1;
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  const events = await read([`data: ${"x".repeat(56)}\n\n`.repeat(65_000)]);
  isDone = true;
  expect(events).toHaveLength(65_000);
  // 4 MiB in steps of 32 KiB.
  expect(ticks).toBeGreaterThan(100);
});

it("lets other work run between many small chunks too", async () => {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 0);
  await read(repeat("data: x\n\n", 100_000));
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});
