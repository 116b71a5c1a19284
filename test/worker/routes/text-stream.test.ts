/** A text that is sent while it is made: as fast as it is read, and no further when its reader has left. */
import { expect, it } from "vitest";
import { textStream } from "../../../src/routes/http/text-stream.ts";

/** Texts without an end. @returns them, and how many were asked for */
function endlessTexts(text: string) {
  const asked = { count: 0 };
  async function* texts() {
    for (;;) {
      asked.count += 1;
      await scheduler.wait(1);
      yield text;
    }
  }
  return { texts: texts(), asked };
}

const errors: unknown[] = [];
let cancels = 0;
const onCancel = () => void (cancels += 1);
const onError = (error: unknown) => void errors.push(error);

it("asks for the texts of a chunk when its reader asks for the chunk", async () => {
  const { texts, asked } = endlessTexts("x".repeat(10_000));
  const reader = textStream(texts, onError, onCancel).getReader();
  await scheduler.wait(20);
  expect(asked.count).toBe(0);
  await reader.read();
  await scheduler.wait(20);
  expect(asked.count).toBe(7);
});

it("stops in the middle of a chunk when its reader leaves, also where nothing comes that could be sent", async () => {
  const { texts, asked } = endlessTexts("");
  const reader = textStream(texts, onError, onCancel).getReader();
  void reader.read();
  while (asked.count < 5) await scheduler.wait(1);
  await reader.cancel();
  const atLeaving = asked.count;
  await scheduler.wait(50);
  expect(asked.count).toBe(atLeaving);
  expect([errors, cancels]).toEqual([[], 1]);
});

it("does not wait for the text that is being made when its reader leaves", async () => {
  async function* texts() {
    yield "first";
    await new Promise(() => undefined);
  }
  const reader = textStream(texts(), onError, onCancel).getReader();
  void reader.read();
  await scheduler.wait(5);
  await reader.cancel();
  expect(errors).toEqual([]);
});
