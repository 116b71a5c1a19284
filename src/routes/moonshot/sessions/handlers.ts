/**
 * The handlers of `/v1/sessions`: each gets input that has been validated and answers as Moonshot does. Rules of a
 * session do not belong here: the session's object has them. Effects: RPC to the object, queries to D1, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { asContextStrategy } from "../../../core/prompt-template.ts";
import type { Failure } from "../../../core/failure.ts";
import type { Session, SessionChanges } from "../../../core/session.ts";
import { now } from "../../../core/time.ts";
import { readSession, shownOf } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { SessionResult } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { findPromptTemplate, promptTemplateNotFound } from "../../../store/prompt-templates.ts";
import { fitTexts } from "../../../store/fit-list.ts";
import { listComparisonSessions } from "../../../store/session-list.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { applyPreference, measure, readFromReplica, readerOf } from "../../http/context.ts";
import { saveResponseStatements, idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import {
  createFollowTicket,
  openEventStream,
  respondWithEvents,
  respondWithSocket,
  respondWithTurn,
  wantsEvents,
} from "../../http/subscribe.ts";
import { checkNamesExist, contextStrategyNotFound, createUnderFreeId, newSession } from "./new-session.ts";
import { presentSession } from "./present.ts";
import { presentHistory, streamHistory } from "./records.ts";
import type { Include } from "./records.ts";
import type * as schemas from "./schemas.ts";
import { sessionNotFound } from "./session-param.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export async function listSessions(c: AppContext, { limit, skip }: z.output<typeof schemas.ListSessions>) {
  // One more than the page shows whether there is a next page.
  const sessions = await readFromReplica(c, (db) => listComparisonSessions(db, { limit: limit + 1, skip }));
  const page = fitTexts(sessions.slice(0, limit).map((session) => presentSession(session, c.env.TIME_ZONE, null)));
  const next = nextPage(c.req.url, limit, skip + page.length);
  if (sessions.length > page.length) c.header("link", `<${next}>; rel="next"`);
  return c.json(page);
}

function nextPage(url: string, limit: number, skip: number): string {
  const next = new URL(url);
  next.searchParams.set("limit", String(limit));
  next.searchParams.set("skip", String(skip));
  return next.pathname + next.search;
}

export async function createSession(c: AppContext, input: z.output<typeof schemas.CreateSession>) {
  const db = database(c.env.DB);
  const zone = c.env.TIME_ZONE;
  const checked = await measure(c, "index", checkNamesExist(db, input));
  if (!checked.ok) return respondWithProblem(c, checked.failure);
  const responseOf = (session: Session) => ({ session: presentSession(session, zone, null) });
  const session = await newSession(db, input, now(), zone);
  const created = createUnderFreeId(db, session, (candidate) =>
    saveResponseStatements(c, `session:${candidate.id}`, responseOf(candidate), 200),
  );
  return c.json(responseOf(await measure(c, "index", created)));
}

export async function getSession(c: AppContext, id: string, input: z.output<typeof schemas.GetSession>) {
  const { include_history: withHistory, include } = input;
  const history = withHistory ? applyPreference(c) : "added";
  const found = await readSession(readerOf(c), id, history, { withReceipts: include === "receipt" });
  if (!found) return respondWithProblem(c, sessionNotFound(id));
  const session = presentSession(found.session, c.env.TIME_ZONE, null);
  if (!withHistory) return c.json({ session });
  return respondWithRecords(c, found, include, (records, truncated) => ({
    session: { ...session, chat_history: records, ...truncated },
  }));
}

/**
 * Answers with the records of a result: at once when they are few, otherwise while they are read.
 *
 * @param bodyOf makes the body with the records, and with the field that says whether earlier records are left out
 */
async function respondWithRecords(
  c: AppContext,
  result: SessionResult,
  include: Include,
  bodyOf: (records: object, truncated: { truncated?: true }) => object,
) {
  const { messages, log, isTruncated } = await shownOf(readerOf(c), result);
  const truncated = isTruncated ? ({ truncated: true } as const) : {};
  return log === null
    ? c.json(bodyOf(presentHistory(result.session, messages, c.env.TIME_ZONE, include), truncated))
    : respondWithJsonStream(c, bodyOf(streamHistory(log, c.env.TIME_ZONE, include), truncated));
}

export async function deleteSession(c: AppContext, id: string) {
  const removed = await auditIfLost(c, "session-deleted", { sessionId: id }, sessionStub(c.env, id).remove());
  if (!removed.ok) return respondWithProblem(c, sessionNotFound(id));
  audit(c, "session-deleted", { sessionId: id });
  return c.json(SUCCESS);
}

export async function prompt(c: AppContext, id: string, text: string, include: Include) {
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  const respondWithFailure = (failure: Failure) =>
    respondWithProblem(c, failure.reason === "session-not-active" ? sessionNotFound(id) : failure);
  if (wantsEvents(c)) {
    const opened = await openEventStream(c, object, (readerId) =>
      object.promptAndFollow({ content: text, key, readerId }),
    );
    return opened.ok ? respondWithTurn(c, opened.value) : respondWithFailure(opened.failure);
  }
  const options = { withReceipts: include === "receipt" };
  const history = applyPreference(c);
  const result = await measure(c, "session", object.prompt({ content: text, history, key, options }));
  if (!result.ok) return respondWithFailure(result.failure);
  markReplayed(c, result.value.replayed);
  return respondWithRecords(c, result.value, include, (records, truncated) => ({ ...records, ...truncated }));
}

export async function cancelTurns(c: AppContext, id: string) {
  const cancelled = await measure(c, "session", sessionStub(c.env, id).cancel());
  return cancelled.ok ? c.json(SUCCESS) : respondWithProblem(c, sessionNotFound(id));
}

export const followSession = (c: AppContext, id: string, after: number | undefined) =>
  respondWithEvents(c, id, after, sessionNotFound(id));

export const openSocket = (c: AppContext, id: string, after: number | undefined) =>
  respondWithSocket(c, id, after, sessionNotFound(id));

export async function createTicket(c: AppContext, id: string) {
  const ticket = await createFollowTicket(c, id);
  return ticket ? c.json(ticket, 201) : respondWithProblem(c, sessionNotFound(id));
}

export async function setPromptTemplate(c: AppContext, id: string, name: string) {
  const db = database(c.env.DB);
  if (!(await findPromptTemplate(db, name)))
    return respondWithProblem(c, (await promptTemplateNotFound(db, name)).failure);
  return amendSession(c, id, { promptTemplate: name });
}

export async function unsetPromptTemplate(c: AppContext, id: string, name: string) {
  const found = await readSession(readerOf(c), id, "added");
  if (found && found.session.promptTemplate !== name)
    return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: name });
  return amendSession(c, id, { promptTemplate: null });
}

export async function setContextStrategy(c: AppContext, id: string, name: string) {
  const contextStrategy = asContextStrategy(name);
  if (!contextStrategy) return respondWithProblem(c, contextStrategyNotFound(name).failure);
  return amendSession(c, id, { contextStrategy });
}

export async function unsetContextStrategy(c: AppContext, id: string, name: string) {
  const found = await readSession(readerOf(c), id, "added");
  if (found && found.session.contextStrategy !== name)
    return respondWithProblem(c, { reason: "not-found", resource: "context strategy", id: name });
  return amendSession(c, id, { contextStrategy: null });
}

async function amendSession(c: AppContext, id: string, changes: SessionChanges) {
  const amended = await measure(c, "session", sessionStub(c.env, id).amend({ changes, history: "added" }));
  if (amended.ok) return c.json(SUCCESS);
  return respondWithProblem(c, amended.failure.reason === "not-found" ? sessionNotFound(id) : amended.failure);
}
