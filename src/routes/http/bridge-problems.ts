/** The problems of branches of a chat session, and of comparisons that are made from one: a part of the table in `problem.ts`. No effects. */
import { MAX_BRIDGE_CHARACTERS, MAX_BRIDGE_MESSAGES } from "../../core/bridge.ts";
import { MAX_BRANCH_CHARACTERS, MAX_BRANCH_MESSAGES } from "../../core/message-tree.ts";

interface ChatMovedOn {
  sessionId: string;
  lastSeq: number;
  expectedSeq: number;
}

export const BRIDGE_PROBLEMS = {
  "path-too-long": () => ({
    httpStatus: 409 as const,
    code: "path_too_long",
    message: `A branch takes at most ${MAX_BRANCH_MESSAGES} messages and ${MAX_BRANCH_CHARACTERS} characters`,
  }),
  "chat-too-long": () => ({
    httpStatus: 409 as const,
    code: "chat_too_long",
    message: `A comparison is made from at most ${MAX_BRIDGE_MESSAGES} messages and ${MAX_BRIDGE_CHARACTERS} characters: choose an earlier until_seq`,
  }),
  "nothing-to-replay": () => ({
    httpStatus: 409 as const,
    code: "nothing_to_replay",
    message: "This conversation has no message of a user, so there is nothing to put to other endpoints",
  }),
  "not-from-a-chat": () => ({
    httpStatus: 409 as const,
    code: "not_from_a_chat",
    message: "This session was not made from a chat session: create one with from_session",
  }),
  "chat-not-active": () => ({
    httpStatus: 409 as const,
    code: "chat_not_active",
    message: "The chat session is gone or not active, so no answer can be adopted in it",
  }),
  "chat-turn-running": ({ sessionId }: { sessionId: string }) => ({
    httpStatus: 409 as const,
    code: "turn_running",
    message: `A turn runs in the chat session ${sessionId}: stop it, or wait for its end`,
    headers: { "retry-after": "1" },
  }),
  "chat-moved-on": ({ sessionId, lastSeq, expectedSeq }: ChatMovedOn) => ({
    httpStatus: 409 as const,
    code: "session_moved_on",
    message: `The last message of the chat session ${sessionId} is ${lastSeq}, and not expected_seq, ${expectedSeq}: read what is new there, and send expected_seq ${lastSeq} if the answer shall still be adopted`,
  }),
  "nothing-to-adopt": () => ({
    httpStatus: 409 as const,
    code: "nothing_to_adopt",
    message:
      "Only an answer of an endpoint to a replayed turn can be adopted, and only if it has text and did not fail",
  }),
  "turns-left-out": ({ next }: { next: number }) => ({
    httpStatus: 409 as const,
    code: "turns_left_out",
    message: `Turns are put in their order, and turn ${next} was not put yet: begin there`,
  }),
};
