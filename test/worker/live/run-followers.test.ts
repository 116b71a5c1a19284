/** How many may follow a run. In the Workers runtime, without HTTP. */
import { afterEach, expect, it } from "vitest";
import { RunFollowers } from "../../../src/runs/run-progress.ts";

const MAX_FOLLOWERS = 1_000;
const MAX_FOLLOWERS_OF_CALLER = 20;

const streams: ReadableStream<Uint8Array>[] = [];
const followers = () => {
  const all = new RunFollowers(
    () => null,
    () => false,
  );
  return { all, open: (caller: string) => streams.push(all.open(caller)) };
};

afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.cancel();
});

it("a run has 1,000 followers, of whom 20 are of one caller", () => {
  const { all, open } = followers();
  for (let number = 0; number < MAX_FOLLOWERS; number++) {
    const caller = `caller-${Math.floor(number / MAX_FOLLOWERS_OF_CALLER)}`;
    expect([number, all.hasRoomFor(caller)]).toEqual([number, true]);
    open(caller);
    if (number % MAX_FOLLOWERS_OF_CALLER === MAX_FOLLOWERS_OF_CALLER - 1) expect(all.hasRoomFor(caller)).toBe(false);
  }
  expect(all.hasRoomFor("another")).toBe(false);
});

it("the place of a follower who leaves is free when it is needed, and nobody else is disconnected", async () => {
  const { all, open } = followers();
  for (let number = 0; number < MAX_FOLLOWERS_OF_CALLER; number++) open("caller");
  await all.removeLostReaders("caller");
  expect(all.hasRoomFor("caller")).toBe(false);
  await streams.pop()?.cancel();
  await scheduler.wait(2_100);
  await all.removeLostReaders("caller");
  expect(all.hasRoomFor("caller")).toBe(true);
  open("caller");
  expect(all.hasRoomFor("caller")).toBe(false);
});
