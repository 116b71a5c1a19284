/**
 * The handlers for comparison sessions that were made from a chat session: the replay of its turns, and the adoption of an
 * answer. How such a session is made is in `chat-source.ts`. Effects: RPC to the objects of both sessions, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Bridge } from "../../../core/bridge.ts";
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import { failed, notFound, success } from "../../../core/failure.ts";
import type { Failure, Outcome } from "../../../core/failure.ts";
import type { AdoptedAuthor, Role } from "../../../core/message.ts";
import { seqsOfPath } from "../../../core/message-tree.ts";
import { messagesOf, openLog } from "../../../live/read-session.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { audit } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { applyPreference, measure, readerOf } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { openEventStream, respondWithTurn, wantsEvents } from "../../http/subscribe.ts";
import { findRecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import { sessionNotFound } from "../../moonshot-shared/sessions/session-param.ts";
import { respondWithRecords } from "./handlers.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

/** Puts the turns, and answers as a prompt does. */
export async function replay(c: AppContext, id: string, range: z.output<typeof schemas.Replay>) {
  const object = sessionStub(c.env, id);
  const respondWithFailure = (failure: Failure) =>
    respondWithProblem(c, failure.reason === "session-not-active" ? sessionNotFound(id) : failure);
  if (wantsEvents(c)) {
    const opened = await openEventStream(c, object, (readerId) => object.replayAndFollow({ range, readerId }));
    return opened.ok
      ? respondWithTurn(c, { events: opened.value, replayed: false })
      : respondWithFailure(opened.failure);
  }
  const history = applyPreference(c);
  const result = await measure(c, "session", object.replayConversation({ range, history }));
  if (!result.ok) return respondWithFailure(result.failure);
  return respondWithRecords(c, result.value, undefined, (records, truncated) => ({ ...records, ...truncated }));
}

/** Adopts the answer of a record in the chat session. */
export async function adopt(c: AppContext, id: string, input: z.output<typeof schemas.Adopt>) {
  const log = await openLog(readerOf(c), id);
  if (log?.session.kind !== "comparison") return respondWithProblem(c, sessionNotFound(id));
  const { bridge } = log.session;
  if (!bridge) return respondWithProblem(c, { reason: "not-from-a-chat" });
  const answer = await findAnswer(log, bridge, input);
  if (!answer.ok) return respondWithProblem(c, answer.failure);
  const expectedSeq = input.expected_seq ?? bridge.lastSeq;
  const adoption = { ...answer.value, expectedSeq };
  const adopted = await measure(c, "session", sessionStub(c.env, bridge.sessionId).adopt(adoption));
  if (!adopted.ok) return respondWithProblem(c, failureOfChat(adopted.failure, bridge.sessionId, expectedSeq));
  const { seq } = adopted.value;
  audit(c, "answer-adopted", { sessionId: bridge.sessionId, seq });
  return c.json({ success: true, seq });
}

/** The call is to the comparison, so a failure of the chat session must say whose it is. */
function failureOfChat(failure: Failure, sessionId: string, expectedSeq: number): Failure {
  if (failure.reason === "session-not-active") return { reason: "chat-not-active" };
  if (failure.reason === "turn-running") return { reason: "chat-turn-running", sessionId };
  if (failure.reason !== "session-moved-on") return failure;
  return { reason: "chat-moved-on", sessionId, lastSeq: failure.lastSeq, expectedSeq };
}

interface Answer {
  content: string;
  author: AdoptedAuthor;
  parentSeq: number;
}

/** @returns `not-found`, or `nothing-to-adopt` for a record that is no answer, or to no recorded turn */
async function findAnswer(
  log: OpenLog,
  bridge: Bridge,
  { chat_id: chatId, chat_record_id: chatRecordId }: z.output<typeof schemas.Adopt>,
): Promise<Outcome<Answer>> {
  const chat = log.session.chats.find((one) => one.chatId === chatId);
  if (!chat) return notFound("chat", chatId);
  const source = await findRecordSource(log, chatId, chatRecordId);
  if (!source) return notFound("record", String(chatRecordId));
  const { content, reply } = source;
  const isAnswer = chatId !== RECORDED_CHAT && reply.status !== "error" && content !== "";
  const turn = isAnswer ? await recordedTurnOf(log, chatRecordId) : null;
  if (turn === null) return failed({ reason: "nothing-to-adopt" });
  const parentSeq = await parentOf(log, bridge, turn);
  const { id: sessionId } = log.session;
  const author = { kind: "adopted" as const, endpoint: chat.endpointId ?? "", sessionId, chatId, chatRecordId };
  return success({ content, author, parentSeq });
}

/** Which turn of the recorded conversation a record belongs to, by its number; `null` for none. */
async function recordedTurnOf(log: OpenLog, number: number): Promise<number | null> {
  let turn = 0;
  for await (const { reply, turnNumber } of messagesOf(log, { chatId: RECORDED_CHAT })) {
    if (reply === null) continue;
    turn += 1;
    if (turnNumber === number) return turn;
  }
  return null;
}

/** What an answer to a turn follows in the chat session: the same as the recorded answer, or else the user's message. */
async function parentOf(log: OpenLog, { path, lastSeq }: Bridge, turn: number): Promise<number> {
  const seqs = seqsOfPath(path, lastSeq);
  const roles: Role[] = [];
  for await (const { role } of messagesOf({ ...log, upTo: seqs.length }, { form: "short" })) roles.push(role);
  const prompts = roles.flatMap((role, index) => (role === "user" ? [index] : []));
  const [prompt = 0, next = roles.length] = prompts.slice(turn - 1, turn + 1);
  const answer = roles.indexOf("assistant", prompt);
  return seqs[answer > prompt && answer < next ? answer - 1 : prompt] ?? 0;
}
