/**
 * The handlers of feedback on messages: each gets input that has been validated and answers in the Session API's envelope.
 * Feedback is no part of the log, so it does not go through the session's object. Effects: RPC to the object to read the
 * message, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { now } from "../../../core/time.ts";
import { database } from "../../../store/database.ts";
import * as store from "../../../store/message-feedback.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readFromReplica, readerOf } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { mutationBody, pageBody, removalBody } from "../envelope.ts";
import { seqOf } from "../sessions/seq-param.ts";
import { presentGiven, presentListed } from "./present.ts";
import { findRated } from "./rated-message.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const FEEDBACK_NOT_FOUND = { reason: "not-found", resource: "feedback", id: null } as const;
const SESSION_NOT_FOUND = { reason: "not-found", resource: "session", id: null } as const;

export async function setFeedback(c: AppContext, sessionId: string, input: z.output<typeof schemas.SetFeedback>) {
  const on = { sessionId, seq: seqOf(c) };
  const rated = await findRated(readerOf(c), on, c.var.caller);
  if (!rated.ok) return respondWithProblem(c, rated.failure);
  const given = { rating: input.rating, tags: [...new Set(input.tags)], comment: input.comment || null };
  const write = store.setFeedback(database(c.env.DB), on, given, rated.value, now());
  const feedback = await measure(c, "index", write);
  return feedback
    ? c.json(mutationBody(presentGiven(sessionId, feedback), "Feedback saved successfully"))
    : respondWithProblem(c, SESSION_NOT_FOUND);
}

export async function removeFeedback(c: AppContext, sessionId: string) {
  const isRemoved = await measure(c, "index", store.removeFeedback(database(c.env.DB), sessionId, seqOf(c)));
  return isRemoved ? c.json(removalBody("Feedback removed successfully")) : respondWithProblem(c, FEEDBACK_NOT_FOUND);
}

export async function listFeedback(c: AppContext, input: z.output<typeof schemas.ListFeedback>) {
  const { limit, skip, rating = null, chatbotId = null, clientId = null, tag = null, startDate, endDate } = input;
  const times = { from: startDate?.from ?? null, before: endDate?.before ?? null };
  const filter = { rating, chatbotId, clientId, tag, ...times };
  const page = await readFromReplica(c, (db) => store.listFeedback(db, filter, { limit, skip }));
  return c.json(pageBody({ ...page, results: page.results.map(presentListed) }, { limit, skip }));
}
