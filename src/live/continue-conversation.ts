/**
 * What the messages that a client sends add to a session: finds the prompt in them, and appends those before it. Comparing
 * them with what the session has does not belong here: that is `core/continuation.ts`. Effects: the log and its events.
 */
import { CANNOT_APPEND, canAppend } from "../core/caller.ts";
import { continuationOf } from "../core/continuation.ts";
import type { Failure, Outcome } from "../core/failure.ts";
import { failed, invalid, notFound, success } from "../core/failure.ts";
import type { NewMessage } from "../core/message.ts";
import { hasText } from "../core/message.ts";
import { parentOf } from "../core/message-tree.ts";
import type { ModelMessage } from "../core/reply.ts";
import { endpointOf, isHidden } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import type { Log } from "./log/log.ts";
import type { ConversationQuestion } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import { appendMessages } from "./turns/append-messages.ts";
import type { Prompt } from "./turns/prompt.ts";

/**
 * @param seq the prompt of an earlier turn of the same question, which is asked again
 * @returns the prompt, or `model-mismatch`, `invalid`, `human-handles` for what a person's session does not take, or
 * `not-found` for a turn that is not in the log
 */
export function continueConversation(
  world: SessionWorld,
  session: Session,
  question: ConversationQuestion,
  seq: number | null,
): Outcome<Prompt> {
  const { by, requestFields } = question;
  const partner = { chatbotId: session.chatbotId, endpointId: endpointOf(session) };
  if (!isWith(partner, question)) return failed({ reason: "model-mismatch", session: partner });
  const addition = additionOf(world.log, question, seq);
  if (!addition.ok) return addition;
  const { added, parentSeq, ...prompt } = addition.value;
  const isVariant = parentSeq !== undefined;
  if (isVariant && session.handler === "human") return failed({ reason: "human-handles" });
  if (added.some(({ role }) => !canAppend(by, role))) return invalid(["messages"], CANNOT_APPEND);
  const lastSeq = append(world, session, added, parentSeq);
  const place = isVariant ? { isVariant: true as const, parentSeq: lastSeq ?? parentSeq } : {};
  const fields = requestFields === undefined ? {} : { requestFields };
  return success({ ...prompt, ...place, ...fields, call: callOf(question) });
}

/** What a session is with. */
type Partner = Required<Extract<Failure, { reason: "model-mismatch" }>>["session"];

const isWith = (partner: Partner, { chatbotId, endpointId }: ConversationQuestion): boolean =>
  endpointId === undefined ? partner.chatbotId === chatbotId : partner.endpointId === endpointId;

interface Addition extends Pick<Prompt, "content" | "seq"> {
  /** The messages before the prompt. */
  added: ModelMessage[];
  /** What the first of them follows, or else the prompt or its answer, if that is not the end of the active path. */
  parentSeq?: number;
}

function additionOf(log: Log, { messages, from }: ConversationQuestion, seq: number | null): Outcome<Addition> {
  if (from === "start") return comparedWithPath(log, messages);
  return seq === null ? newMessages(log, messages, from) : success(againAt(log, seq));
}

function comparedWithPath(log: Log, messages: ModelMessage[]): Outcome<Addition> {
  const continuation = continuationOf(messages, log.conversation.oldestFirst());
  if (!continuation) return NOTHING_TO_ANSWER;
  if (continuation.kind === "again") return success(againAt(log, continuation.seq));
  const { replacedSeq, added, prompt: content } = continuation;
  const replaced = replacedSeq === null ? undefined : log.message(replacedSeq);
  return success({ content, seq: null, added, ...(replaced ? { parentSeq: parentOf(replaced) } : {}) });
}

const NOTHING_TO_ANSWER = invalid(["messages"], "must end with a message of the user");

/** A prompt that is in the log. What follows it on the path is answered in its place. */
function againAt(log: Log, seq: number): Addition {
  const content = log.message(seq)?.content ?? "";
  return { content, seq, added: [], ...(log.places.leaf === seq ? {} : { parentSeq: seq }) };
}

/** Messages that the client has not sent before. */
function newMessages(
  log: Log,
  messages: ModelMessage[],
  from: Exclude<ConversationQuestion["from"], "start">,
): Outcome<Addition> {
  const prompt = messages.at(-1);
  if (prompt?.role !== "user") return NOTHING_TO_ANSWER;
  const addition = { content: prompt.content, seq: null, added: messages.slice(0, -1) };
  if (from === "end") return success(addition);
  const { session, turn } = log.loadedState;
  if (isHidden(session, from.turnId)) return notFound("turn", from.turnId);
  const last = log.messagesOfTurn(from.turnId).findLast(hasText);
  // A turn that waits or runs is answered before this prompt's turn comes.
  if (!last) return log.hasTurn(from.turnId) ? success(addition) : notFound("turn", from.turnId);
  const isLast = last.seq === log.places.leaf || turn?.turnId === from.turnId;
  return success(isLast ? addition : { ...addition, parentSeq: last.seq });
}

/** @returns the last of them; `null` for none */
function append(
  world: SessionWorld,
  { id }: Session,
  added: ModelMessage[],
  parentSeq: number | undefined,
): number | null {
  if (added.length === 0) return null;
  const createdAt = world.clock();
  const messages = added.map(({ role, content }, index): NewMessage => ({
    chatId: id,
    turnId: null,
    turnNumber: null,
    role,
    content,
    createdAt,
    reply: null,
    // The others follow this one, which is the end of the active path by then.
    ...(index === 0 && parentSeq !== undefined ? { parentSeq } : {}),
  }));
  return appendMessages(world, messages).at(-1)?.seq ?? null;
}

const callOf = ({ params, instructions }: ConversationQuestion): NonNullable<Prompt["call"]> => ({
  ...(params === undefined ? {} : { params }),
  ...(instructions === undefined ? {} : { instructions }),
});
