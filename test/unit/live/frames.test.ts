/** What a socket gets when D1 cannot be asked for a frame. */
import { expect, it } from "vitest";
import type { Caller } from "../../../src/core/caller.ts";
import { runFrame } from "../../../src/live/frame-commands.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import type { ClientFrame } from "../../../src/live/streaming/client-frames.ts";
import { aChatSession, aWorld } from "../../support/session-world.ts";

const CALLER: Caller = { role: "admin", id: "admin", keyId: null, clientId: null, expiresAt: null };

const FRAMES: ClientFrame[] = [
  { type: "message-append", id: "one", role: "user", content: "a" },
  { type: "prompt-submit", id: "one", content: "a" },
];

/** Runs a frame while reading the session from D1 fails. */
function runWhile(message: string, frame: ClientFrame) {
  const world = aWorld(aChatSession());
  world.records.findSession = () => Promise.reject(new Error(message));
  return runFrame(new SessionRoom(world), frame, CALLER, "chatbot", () => undefined);
}

it.each(FRAMES)("$type gets the failure unavailable", async (frame) => {
  const answer = await runWhile("D1_ERROR: Network connection lost.", frame);
  expect(answer).toMatchObject({ type: "failure", id: "one", code: "unavailable" });
});

it("a turn that cannot start is reported under the id of its prompt", async () => {
  const world = aWorld(aChatSession());
  const room = new SessionRoom(world);
  world.log.conversation.newest = () => {
    throw new Error("Durable Object storage operation exceeded timeout which caused object to be reset.");
  };
  const sent: unknown[] = [];
  await runFrame(room, FRAMES[1] as ClientFrame, CALLER, "chatbot", (event) => sent.push(event));
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(sent).toMatchObject([{ type: "failure", id: "one", code: "unavailable" }]);
});

it("a bug is thrown", async () => {
  await expect(runWhile("x is not a function", FRAMES[0] as ClientFrame)).rejects.toThrow("not a function");
});
