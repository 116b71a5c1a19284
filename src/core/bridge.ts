/**
 * The bridge: a comparison session that is made from a chat session, to put the messages of its user to other models. The log of
 * such a session begins with a copy of the conversation, in the chat `recorded`. Reading and writing logs does not belong
 * here. Pure.
 */
import type { ReplyDetail } from "./message.ts";
import type { PathRange } from "./message-tree.ts";

/**
 * `user_turns`: each endpoint goes on with its own answers. `pinned`: each prompt is sent with the conversation as it was
 * recorded, so that only the next answer differs.
 */
export const BRIDGE_MODES = ["user_turns", "pinned"] as const;
export type BridgeMode = (typeof BRIDGE_MODES)[number];

/** The chat with the recorded conversation. It has no endpoint: nobody is asked for its answers. */
export const RECORDED_CHAT = "recorded";

/** The longest conversation that a comparison is made from. It is copied in one transaction. */
export const MAX_BRIDGE_MESSAGES = 10_000;
export const MAX_BRIDGE_CHARACTERS = 8_000_000;

/** Where a comparison session comes from. */
export interface Bridge {
  /** The chat session. */
  sessionId: string;
  /** The last message of the chat session at that time. */
  lastSeq: number;
  mode: BridgeMode;
  /** The conversation, as messages of the chat session. The log of the comparison begins with a copy of each, in their order. */
  path: PathRange[];
  /** How many of them are by the user: each is a turn. */
  turns: number;
  /** Copies of replies that failed, by their `seq` in the comparison: their text is no answer. */
  failedSeqs: number[];
}

/** A message of the recorded conversation, by its `seq` in the comparison. */
export interface RecordedMessage {
  seq: number;
  role: "user" | "assistant" | "system";
  content: string;
}

/** A turn of the recorded conversation. */
export interface RecordedTurn {
  /** 1, 2, 3 … */
  number: number;
  /** The message of the user. */
  prompt: RecordedMessage;
  /** The recorded answer; `null` if there is none, or it failed. */
  answer: RecordedMessage | null;
  /** What belongs to the conversation and is nobody's answer: system messages since the turn before, and a greeting. */
  context: RecordedMessage[];
}

/**
 * A turn from the messages around it.
 *
 * @param before the messages between the user's message before and this one, oldest first
 * @param after the message that follows it
 */
export const recordedTurn = (
  { failedSeqs }: Bridge,
  number: number,
  prompt: RecordedMessage,
  { before, after }: { before: RecordedMessage[]; after: RecordedMessage[] },
): RecordedTurn => {
  const answer = after.find(({ role }) => role === "assistant") ?? null;
  return {
    number,
    prompt,
    answer: answer && failedSeqs.includes(answer.seq) ? null : answer,
    context: before.filter(({ role }) => role === "system" || number === 1),
  };
};

/** What the record of a recorded answer has. `null` as an answer is a record without text. */
export const RECORDED_REPLY: ReplyDetail = {
  status: "ok",
  endpointId: RECORDED_CHAT,
  finishReason: "stop",
  error: null,
  model: null,
  usage: null,
  durationMs: null,
  ttftMs: null,
  attempts: 0,
  providerRequestId: null,
  preparedPrompt: "",
  promptTemplate: null,
  contextStrategy: null,
};
