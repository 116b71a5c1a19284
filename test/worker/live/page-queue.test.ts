/** Pages of long logs in one isolate: a few at once, in order, and none for a reader that has left. */
import { expect, it } from "vitest";
import { CallerLeft } from "../../../src/core/failure.ts";
import { PageQueue } from "../../../src/live/page-queue.ts";

const READERS = 30;
const present = () => false;

/** Reads a page for each reader, all at once. @returns what happened to each, which were read, and how many at once */
async function readPages(queue: PageQueue, readers: (() => boolean)[]) {
  let [running, most] = [0, 0];
  const read: number[] = [];
  const outcomes = await Promise.allSettled(
    readers.map((hasLeft, reader) =>
      queue.read(hasLeft, async () => {
        read.push(reader);
        most = Math.max(most, (running += 1));
        await scheduler.wait(1);
        running -= 1;
      }),
    ),
  );
  return { outcomes, read, most };
}

it("reads two pages at once, and those of all readers in the order in which they came", async () => {
  const { read, most } = await readPages(
    new PageQueue(),
    Array.from({ length: READERS }, () => present),
  );
  expect(most).toBe(2);
  expect(read).toEqual(Array.from({ length: READERS }, (_, reader) => reader));
});

it("reads nothing for those who left while they waited, and goes on for the others", async () => {
  let isOver = false;
  const left = () => isOver;
  const readers = Array.from({ length: READERS }, (_, reader) => (reader % 3 === 2 ? left : present));
  const reading = readPages(new PageQueue(), readers);
  isOver = true;
  const { outcomes, read } = await reading;
  expect(read).toEqual(readers.flatMap((hasLeft, reader) => (hasLeft === present ? [reader] : [])));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  expect(errors).toHaveLength(READERS / 3);
  expect(errors.every((error) => error instanceof CallerLeft)).toBe(true);
});

it("does not wait for pages that never come: the platform may have ended the calls that read them", async () => {
  const queue = new PageQueue();
  const never = () => new Promise<never>(() => undefined);
  void queue.read(present, never);
  void queue.read(present, never);
  expect(await queue.read(present, async () => "read")).toBe("read");
});

it("goes on after a page that cannot be read", async () => {
  const queue = new PageQueue();
  const failing = Array.from({ length: 4 }, () => queue.read(present, () => Promise.reject(new Error("No page"))));
  await expect(Promise.all(failing)).rejects.toThrow("No page");
  expect(await queue.read(present, async () => "read")).toBe("read");
});
