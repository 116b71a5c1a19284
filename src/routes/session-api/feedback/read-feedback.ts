/**
 * Reads the feedback on a page of messages, at the same time as the page. Effects: a query to D1; logs one that fails.
 */
import type { Context } from "hono";
import { rootCause } from "../../../core/failure.ts";
import { LOOKUP_TIMEOUT_MS } from "../../../core/lookup-age.ts";
import type { MessageFeedback } from "../../../core/message-feedback.ts";
import { waitAtMost } from "../../../core/time-limit.ts";
import { database } from "../../../store/database.ts";
import { feedbackAfter } from "../../../store/message-feedback.ts";
import type { AppEnv } from "../../http/context.ts";
import { requestIdsOf } from "../../http/request-id.ts";

/** The feedback on some messages, by `seq`. */
export type FeedbackBySeq = ReadonlyMap<number, MessageFeedback>;

/**
 * The feedback on at most so many messages after a `seq`. None while D1 does not answer: a session in use can be read then
 * all the same.
 */
export async function readFeedback(
  c: Context<AppEnv>,
  sessionId: string,
  after: number,
  limit: number,
): Promise<FeedbackBySeq> {
  const query = feedbackAfter(database(c.env.DB), sessionId, after, limit);
  const rows = await waitAtMost(LOOKUP_TIMEOUT_MS, query.all()).catch((error: unknown) => {
    console.error({ event: "feedback-not-read", ...requestIdsOf(c), error: rootCause(error) });
    return [];
  });
  return new Map(rows.map((row) => [row.seq, row]));
}
