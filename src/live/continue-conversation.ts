/**
 * What the messages that a client sends add to a session: which of them is the prompt, which are new, and what they follow.
 * Comparing them with what the session has does not belong here: that is `core/continuation.ts`. Effects: reads the log.
 */
import { CANNOT_APPEND, canAppend } from "../core/caller.ts";
import { continuationOf } from "../core/continuation.ts";
import type { Failure, Outcome } from "../core/failure.ts";
import { failed, invalid, notFound, success } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import { hasText } from "../core/message.ts";
import { parentOf } from "../core/message-tree.ts";
import type { ModelMessage } from "../core/reply.ts";
import { endpointOf, isHidden } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import { failedPrompt } from "./log/answered-prompts.ts";
import type { Log } from "./log/log.ts";
import type { ConversationQuestion } from "./session-results.ts";
import type { Prompt } from "./turns/prompt.ts";

/** What is known of earlier calls with the same question. */
export interface Repeat {
  /** The prompt of the turn that its key has started, if that is in the log. */
  seq: number | null;
  /** Whether the call has a key: then that says whether it is a repeat. */
  hasKey: boolean;
}

/**
 * @returns the prompt, or `model-mismatch`, `invalid`, `human-handles` for what a person's session does not take, or
 * `not-found` for a turn that is not in the log
 */
export function continueConversation(
  log: Log,
  session: Session,
  question: ConversationQuestion,
  repeat: Repeat,
): Outcome<Prompt> {
  const { by, requestFields } = question;
  const partner = { chatbotId: session.chatbotId, endpointId: endpointOf(session) };
  if (!isWith(partner, question)) return failed({ reason: "model-mismatch", session: partner });
  const addition = additionOf(log, question, repeat);
  if (!addition.ok) return addition;
  const { preceding, parentSeq } = addition.value;
  const isVariant = parentSeq !== undefined;
  if (isVariant && session.handler === "human") return failed({ reason: "human-handles" });
  if (preceding.some(({ role }) => !canAppend(by, role))) return invalid(["messages"], CANNOT_APPEND);
  const variant = isVariant ? { isVariant: true as const } : {};
  const fields = requestFields === undefined ? {} : { requestFields };
  return success({ ...addition.value, ...variant, ...fields, call: callOf(question) });
}

/** What a session is with. */
type Partner = Required<Extract<Failure, { reason: "model-mismatch" }>>["session"];

const isWith = (partner: Partner, { chatbotId, endpointId }: ConversationQuestion): boolean =>
  endpointId === undefined ? partner.chatbotId === chatbotId : partner.endpointId === endpointId;

/** What the messages add: the prompt, what stands before it, and what the first of them follows, or else the answer. */
type Addition = Pick<Prompt, "content" | "seq" | "parentSeq"> & Required<Pick<Prompt, "preceding">>;

function additionOf(log: Log, { messages, from }: ConversationQuestion, repeat: Repeat): Outcome<Addition> {
  if (from === "start") return comparedWithPath(log, messages, repeat);
  return repeat.seq === null ? newMessages(log, messages, from, repeat) : success(repeated(log, repeat.seq));
}

function comparedWithPath(log: Log, messages: ModelMessage[], { seq }: Repeat): Outcome<Addition> {
  const continuation = continuationOf(messages, log.conversation.oldestFirst());
  if (!continuation) return NOTHING_TO_ANSWER;
  if (seq !== null) return success(repeated(log, seq));
  if (continuation.kind === "again") return success(againAt(log, continuation.seq));
  const { replacedSeq, added: preceding, prompt: content } = continuation;
  const replaced = replacedSeq === null ? undefined : log.message(replacedSeq);
  return success({ content, seq: null, preceding, ...(replaced ? { parentSeq: parentOf(replaced) } : {}) });
}

const NOTHING_TO_ANSWER = invalid(["messages"], "must end with a message of the user");

/** A prompt that is in the log, and is answered where its turn sees fit. */
const repeated = (log: Log, seq: number): Addition => ({
  content: log.message(seq)?.content ?? "",
  seq,
  preceding: [],
});

/** A prompt that is in the log. What follows it on the path is answered in its place. */
const againAt = (log: Log, seq: number): Addition => ({
  ...repeated(log, seq),
  ...(log.places.leaf === seq ? {} : { parentSeq: seq }),
});

/** Messages that the client has not sent before, or one that it repeats because nothing has answered it. */
function newMessages(
  log: Log,
  messages: ModelMessage[],
  from: Exclude<ConversationQuestion["from"], "start">,
  { hasKey }: Repeat,
): Outcome<Addition> {
  const prompt = messages.at(-1);
  if (prompt?.role !== "user") return NOTHING_TO_ANSWER;
  const behind = from === "end" ? success({}) : placeBehind(log, from.turnId);
  if (!behind.ok) return behind;
  const place: Pick<Addition, "parentSeq"> = behind.value;
  const unanswered = hasKey ? null : unansweredAddition(log, messages);
  if (unanswered && (from === "end" || parentOf(unanswered.first) === place.parentSeq))
    return success(repeated(log, unanswered.prompt.seq));
  return success({ content: prompt.content, seq: null, preceding: messages.slice(0, -1), ...place });
}

/** @returns `not-found` for a turn that is not in the log */
function placeBehind(log: Log, turnId: string): Outcome<Pick<Addition, "parentSeq">> {
  const { session, turn } = log.loadedState;
  if (isHidden(session, turnId)) return notFound("turn", turnId);
  const last = log.messagesOfTurn(turnId).findLast(hasText);
  // A turn that waits or runs is answered before this prompt's turn comes.
  if (!last) return log.hasTurn(turnId) ? success({}) : notFound("turn", turnId);
  const isLast = last.seq === log.places.leaf || turn?.turnId === turnId;
  return success(isLast ? {} : { parentSeq: last.seq });
}

/**
 * The first and the last of these messages, if they are the end of the active path, and no reply or a failed one follows them:
 * many clients repeat a call that failed or takes too long, and not all of them under a key.
 */
function unansweredAddition(log: Log, messages: ModelMessage[]): { first: Message; prompt: Message } | null {
  const prompt = failedPrompt(log) ?? log.message(log.places.leaf);
  let first: Message | undefined;
  let next = prompt;
  for (const { role, content } of messages.toReversed()) {
    if (next?.role !== role || next.content !== content) return null;
    first = next;
    next = log.message(parentOf(next));
  }
  return first && prompt ? { first, prompt } : null;
}

const callOf = ({ params, instructions }: ConversationQuestion): NonNullable<Prompt["call"]> => ({
  ...(params === undefined ? {} : { params }),
  ...(instructions === undefined ? {} : { instructions }),
});
