/**
 * The messages that a turn appends: its prompt, its replies, and replacements for replies that were interrupted.
 * Appending them does not belong here: that is `append-messages.ts`. Pure.
 */
import { RECORDED_CHAT, RECORDED_REPLY } from "../../core/bridge.ts";
import type { RecordedTurn } from "../../core/bridge.ts";
import { MAX_ROW_BYTES, MAX_ROW_CHARACTERS } from "../../core/message.ts";
import type { NewMessage, ReplyDetail } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import type { RunningTurn, StartedTurn, Turn } from "../../core/turn.ts";
import type { Reply } from "../../turn/fan-out.ts";
import type { SentPrompt } from "./plan-turn.ts";
import type { Prompt } from "./prompt.ts";

/**
 * The message of a prompt. It belongs to the only chat of a chatbot session, or to all chats of a comparison session.
 */
export const promptMessage = (
  { kind, id }: Session,
  turn: Turn,
  { content, parentSeq }: Pick<Prompt, "content" | "parentSeq">,
  at: EpochMs,
): NewMessage => ({
  chatId: kind === "chatbot" ? id : null,
  turnId: turn.turnId,
  turnNumber: turn.number,
  role: "user",
  content,
  createdAt: at,
  reply: null,
  ...(parentSeq === undefined ? {} : { parentSeq }),
});

/** What a call has before its prompt. It belongs to no turn: a turn has one prompt. */
export const precedingMessages = (
  { id }: Session,
  { preceding = [], parentSeq }: Pick<Prompt, "preceding" | "parentSeq">,
  at: EpochMs,
): NewMessage[] =>
  preceding.map(({ role, content }, index) => ({
    chatId: id,
    turnId: null,
    turnNumber: null,
    role,
    content,
    createdAt: at,
    reply: null,
    // The others follow this one, which is the end of the active path by then.
    ...(index === 0 && parentSeq !== undefined ? { parentSeq } : {}),
  }));

/** A recorded turn as it is put again: what belongs to the conversation before it, the prompt, and the recorded answer. */
export function recordedMessages(
  session: Session,
  turn: Turn,
  { context, prompt, answer }: RecordedTurn,
  at: EpochMs,
): NewMessage[] {
  const ofTurn = { turnId: turn.turnId, turnNumber: turn.number, createdAt: at, reply: null };
  // Of a pinned conversation, each chat sends the recorded messages themselves.
  const added = session.bridge?.mode === "user_turns" ? context : [];
  return [
    ...added.map(({ role, content }) => ({ ...ofTurn, chatId: null, role, content })),
    promptMessage(session, turn, prompt, at),
    { ...ofTurn, chatId: RECORDED_CHAT, role: "assistant", content: answer?.content ?? "", reply: RECORDED_REPLY },
  ];
}

/** @param turn says where the reply belongs, if its prompt is in an earlier turn */
export function replyMessage(turn: StartedTurn, reply: Reply, at: EpochMs): NewMessage {
  const { turnId, number, promptSeq, replyParentSeq } = turn;
  const detailOfTurn = { ...reply.detail, ...fittingFields(turn, reply) };
  const { chatId, content, detail } = fitReply({ ...reply, detail: detailOfTurn });
  return {
    chatId,
    turnId,
    turnNumber: number,
    role: "assistant",
    content,
    createdAt: at,
    reply: promptSeq === undefined ? detail : { ...detail, promptSeq },
    ...(replyParentSeq === undefined ? {} : { parentSeq: replyParentSeq }),
  };
}

/** What a reply keeps of the call, if its row has a place for it: a reply is worth more. */
function fittingFields({ requestFields }: StartedTurn, { content, detail }: Reply): Pick<ReplyDetail, "requestFields"> {
  if (requestFields === undefined) return {};
  const isFitting = content.length + detail.preparedPrompt.length + requestFields.length <= MAX_ROW_CHARACTERS;
  return isFitting ? { requestFields } : {};
}

/**
 * Makes a reply fit into a row. One that is too long is truncated, and its error says so. Half a surrogate pair becomes
 * U+FFFD here, so that the event and the stored row have the same text.
 */
function fitReply({ content: text, ...rest }: Reply): Reply {
  const reply = { ...rest, content: text.toWellFormed() };
  const maxBytes = MAX_ROW_BYTES - bytesOf(JSON.stringify(reply.detail));
  if (bytesOf(reply.content) <= maxBytes) return reply;
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  const content = reply.content.slice(0, Math.floor(maxBytes / 3)).toWellFormed();
  const error = {
    code: "refused_by_guard" as const,
    message: "The reply and its prompt are too long to be kept whole.",
  };
  return { ...reply, content, detail: { ...reply.detail, status: "error", finishReason: "error", error } };
}

// Most replies are short: the upper bound is enough, and encoding costs more.
const bytesOf = (text: string): number => (text.length < 100_000 ? text.length * 3 : encoder.encode(text).byteLength);

const encoder = new TextEncoder();

/** Replies for the chats that had none when the object stopped, with the text that was saved of each. */
export function interruptedReplies(
  turn: RunningTurn,
  tasks: SentPrompt[],
  drafts: Map<string, string>,
  at: EpochMs,
): NewMessage[] {
  return tasks.map(({ chatId, ...sent }) =>
    replyMessage(
      turn,
      {
        chatId,
        content: drafts.get(chatId) ?? "",
        retryAfterSeconds: null,
        detail: {
          status: "error",
          finishReason: "interrupted",
          error: { code: "interrupted", message: "The turn broke off before the reply had ended." },
          model: null,
          usage: null,
          durationMs: null,
          ttftMs: null,
          attempts: 1,
          providerRequestId: null,
          ...sent,
        },
      },
      at,
    ),
  );
}
