/** Makes the answers of a run from the replies of a turn, and judges them. Pure. */
import type { Failure } from "../core/failure.ts";
import { costOfReply } from "../core/message.ts";
import type { Message, ReplyDetail } from "../core/message.ts";
import { isAsExpected } from "../core/run.ts";
import type { RunPlan } from "../core/run.ts";
import type { NewAnswer, StoredItem } from "./run-storage.ts";

/** Why an answer that is ok was not judged to its end, and so is not as expected. */
const TOO_LONG_FOR_REGEX = "too_long_for_regex";

/** The answers in the messages of a turn. @param turn from 0 */
export function answersOf(plan: Readonly<RunPlan>, item: StoredItem, turn: number, messages: Message[]): NewAnswer[] {
  const places = new Map(plan.session.chats.map(({ chatId }, index) => [chatId, index]));
  return messages.flatMap(({ chatId, reply, content, turnNumber }) => {
    const endpoint = places.get(chatId ?? "");
    if (endpoint === undefined || !reply) return [];
    const isJudgedReply = isJudged(item, turn) && reply.status === "ok";
    const isExpected = isJudgedReply ? isAsExpected(content, item.expect) : false;
    const pass = isJudged(item, turn) ? (isExpected ?? false) : null;
    const measures = measuresOf(reply);
    const errorCode = isExpected === null ? TOO_LONG_FOR_REGEX : measures.errorCode;
    return { endpoint, record: turnNumber ?? turn + 1, pass, text: content, ...measures, errorCode };
  });
}

const measuresOf = (reply: ReplyDetail) => ({
  status: reply.status,
  errorCode: reply.status === "ok" ? null : (reply.error?.code ?? reply.status),
  durationMs: reply.durationMs,
  ttftMs: reply.ttftMs,
  inputTokens: reply.usage?.inputTokens ?? null,
  outputTokens: reply.usage?.outputTokens ?? null,
  cost: costOfReply(reply),
});

/** The answers of a turn that could not be asked at all. @param turn from 0 */
export function failedAnswers(plan: Readonly<RunPlan>, item: StoredItem, turn: number, failure: Failure): NewAnswer[] {
  const measured = { durationMs: null, ttftMs: null, inputTokens: null, outputTokens: null, cost: null };
  const errorCode = failure.reason.replaceAll("-", "_");
  const pass = isJudged(item, turn) ? false : null;
  return plan.endpoints.map((_, endpoint) => ({
    endpoint,
    record: turn + 1,
    status: "error",
    errorCode,
    pass,
    text: "",
    ...measured,
  }));
}

/** The last turn of an item is judged, if the item says what is expected. */
const isJudged = (item: StoredItem, turn: number): item is StoredItem & { expect: object } =>
  item.expect !== null && turn + 1 === item.turns;
