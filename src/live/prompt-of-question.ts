/**
 * Which prompt a question means: a new one, an earlier one that is asked again or changed, or that of a recorded turn. What a
 * client asks about its messages is in `client-messages.ts`, what it sends as a whole conversation in
 * `continue-conversation.ts`. Starting the turn does not belong here: that is `prompts.ts`. Effects: reads the log.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import { parentOf } from "../core/message-tree.ts";
import type { Session } from "../core/session.ts";
import { promptAbout } from "./client-messages.ts";
import { continueConversation } from "./continue-conversation.ts";
import type { Repeat } from "./continue-conversation.ts";
import { promptOfReply } from "./log/answered-prompts.ts";
import type { Log } from "./log/log.ts";
import type { Question } from "./session-results.ts";
import type { Prompt } from "./turns/prompt.ts";

/**
 * @returns the prompt, `human-handles` or `not-from-a-chat`, or for a message that the question names `not-found`,
 * `nothing-to-edit` or `nothing-to-answer`; also what {@link promptAbout} and {@link continueConversation} return
 */
export function promptOf(log: Log, session: Session, question: Question, repeat: Repeat): Outcome<Prompt> {
  const { seq } = repeat;
  const expectedSeq = expectedSeqOf(question, repeat);
  const expected = expectedSeq === undefined ? {} : { expectedSeq };
  if ("messages" in question) return continueConversation(log, session, question, repeat);
  if ("about" in question) return promptAbout(log, session, question, seq);
  if ("recordedTurn" in question) return recordedPrompt(log, session, question.recordedTurn);
  if ("content" in question && question.editedSeq === undefined)
    return success({ content: question.content, seq, ...expected });
  if (session.handler === "human") return failed({ reason: "human-handles" });
  const variant = "content" in question ? editOf(log, question, seq) : regenerationOf(log, question);
  return variant.ok ? success({ ...variant.value, isVariant: true, ...expected }) : variant;
}

/** A prompt that is in the log has moved the log itself: what its first call expected held then. */
export const expectedSeqOf = ({ expectedSeq }: Question, { seq }: Repeat): number | undefined =>
  seq === null ? expectedSeq : undefined;

function editOf(
  log: Log,
  { content, editedSeq = 0 }: Extract<Question, { content: string }>,
  seq: number | null,
): Outcome<Prompt> {
  const edited = log.message(editedSeq);
  if (!edited) return notFound("message", String(editedSeq));
  if (edited.role !== "user") return failed({ reason: "nothing-to-edit" });
  return success({ content, seq, ...(seq === null ? { parentSeq: parentOf(edited) } : {}) });
}

function regenerationOf(
  log: Log,
  { regeneratedSeq, ...call }: Extract<Question, { regeneratedSeq: number }>,
): Outcome<Prompt> {
  const reply = log.message(regeneratedSeq);
  if (!reply) return notFound("message", String(regeneratedSeq));
  const prompt = promptOfReply(log, reply);
  if (!prompt) return failed({ reason: "nothing-to-answer" });
  return success({ content: prompt.content, seq: prompt.seq, parentSeq: parentOf(reply), call });
}

/** @param number a turn of the recorded conversation, which may have broken off */
function recordedPrompt(log: Log, { bridge }: Session, number: number): Outcome<Prompt> {
  if (!bridge) return failed({ reason: "not-from-a-chat" });
  const recorded = log.chats.recorded.turn(bridge, number);
  const { turn } = log.loadedState;
  const prompt = { content: recorded.prompt.content, seq: null, recorded };
  if (turn?.recordedTurn !== number) return success(prompt);
  const promptSeq = log.messagesOfTurn(turn.turnId).find(({ role }) => role === "user")?.seq ?? 0;
  return success({ ...prompt, resumed: { turn, promptSeq } });
}
