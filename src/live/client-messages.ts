/**
 * What a client means by the names of its messages, and what it asks about them. Effects: reads the log.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, success } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import { parentOf } from "../core/message-tree.ts";
import type { Session } from "../core/session.ts";
import { promptOfReply } from "./log/answered-prompts.ts";
import type { Log } from "./log/log.ts";
import type { MessageQuestion } from "./session-results.ts";
import type { Prompt } from "./turns/prompt.ts";

/**
 * @param seq the prompt of an earlier turn of the same question, if it has one in the log
 * @returns the prompt, `nothing-to-edit` or `nothing-to-answer` for a message that is not a user's, or `human-handles`
 */
export function promptAbout(
  log: Log,
  { handler }: Session,
  question: MessageQuestion,
  seq: number | null,
): Outcome<Prompt> {
  const { about, text } = question;
  const named = about === "prompt" ? null : findMessage(log, question);
  if (named === null) return text === "" ? failed({ reason: "nothing-to-answer" }) : success({ content: text, seq });
  if (handler === "human") return failed({ reason: "human-handles" });
  return about === "edit" ? editOf(named, text, seq) : newReplyTo(log, named);
}

function editOf(edited: Message, content: string, seq: number | null): Outcome<Prompt> {
  if (edited.role !== "user") return failed({ reason: "nothing-to-edit" });
  return success({ content, seq, isVariant: true, ...(seq === null ? { parentSeq: parentOf(edited) } : {}) });
}

/** Another reply stands beside the earlier one. The first reply to a prompt follows it. */
function newReplyTo(log: Log, named: Message): Outcome<Prompt> {
  const prompt = named.role === "user" ? named : promptOfReply(log, named);
  if (!prompt) return failed({ reason: "nothing-to-answer" });
  const { seq, content } = prompt;
  const parentSeq = named === prompt ? seq : parentOf(named);
  return success({ content, seq, isVariant: true, ...(log.places.leaf === parentSeq ? {} : { parentSeq }) });
}

type NamedMessage = NonNullable<MessageQuestion["message"]>;

/** The turn that a client means: that of a reply, or the last one that its message has started. */
export const turnNamed = (log: Log, { turnId, name }: NamedMessage): string | null =>
  turnId ?? log.results.find(name.caller, name.key)?.turn_id ?? null;

/** @returns `null` for a message that is not in the log */
function findMessage(log: Log, { about, message, text }: MessageQuestion): Message | null {
  if (message === null) return lastPrompt(log);
  const found = ofTurnNamed(log, message) ?? (message.seq === undefined ? undefined : log.message(message.seq));
  if (found) return found;
  // Names are known for a day only.
  const last = about === "reply" ? lastPrompt(log) : null;
  return last?.content === text ? last : null;
}

/** The reply of a turn, or its prompt for a message of the user. */
function ofTurnNamed(log: Log, named: NamedMessage): Message | undefined {
  const turnId = turnNamed(log, named);
  const messages = turnId === null ? [] : log.messagesOfTurn(turnId);
  return named.turnId === undefined ? messages.find(({ role }) => role === "user") : messages.at(-1);
}

function lastPrompt(log: Log): Message | null {
  for (let seq = log.places.leaf; seq > 0; seq = log.places.parentOf(seq)) {
    const message = log.message(seq);
    if (message?.role === "user") return message;
  }
  return null;
}
