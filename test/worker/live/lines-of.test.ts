/** The lines of calls that come back from another invocation. */
import { expect, it } from "vitest";
import { linesOf } from "../../../src/live/turns/call-endpoints.ts";

async function read(chunks: string[]): Promise<string[]> {
  const bytes = new Blob(chunks).stream() as ReadableStream<Uint8Array>;
  const lines: string[] = [];
  for await (const line of linesOf(bytes)) lines.push(line);
  return lines;
}

it("are joined from their chunks, whole lines only", async () => {
  expect(await read(["a\nb", "c", "\n", "\nd\ne"])).toEqual(["a", "bc", "", "d"]);
});

it("take linear time when they are long and come in small chunks", async () => {
  let left = 400_000;
  const bytes = new ReadableStream<Uint8Array>({
    pull(controller) {
      left -= 1;
      controller.enqueue(new TextEncoder().encode(left > 0 ? "0123456789" : "\n"));
      if (left === 0) controller.close();
    },
  });
  const lengths: number[] = [];
  for await (const line of linesOf(bytes)) lengths.push(line.length);
  expect(lengths).toEqual([3_999_990]);
});
