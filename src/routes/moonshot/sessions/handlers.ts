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
import { readRemaining, readSession } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { findPromptTemplate } from "../../../store/prompt-templates.ts";
import { listComparisonSessions } from "../../../store/session-list.ts";
import { audit } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { applyPreference, measure, readFromReplica, readerOf } from "../../http/context.ts";
import { saveResponseStatements, idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import {
  createFollowTicket,
  openEventStream,
  respondWithEvents,
  respondWithSocket,
  respondWithTurn,
  wantsEvents,
} from "../../http/subscribe.ts";
import { checkNamesExist, createUnderFreeId, newSession } from "./new-session.ts";
import { presentSession } from "./present.ts";
import { presentHistory } from "./records.ts";
import type { Include } from "./records.ts";
import type * as schemas from "./schemas.ts";
import { sessionNotFound } from "./session-param.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export async function listSessions(c: AppContext, { limit, skip }: z.output<typeof schemas.ListSessions>) {
  // One more than the page shows whether there is a next page.
  const sessions = await readFromReplica(c, (db) => listComparisonSessions(db, { limit: limit + 1, skip }));
  if (sessions.length > limit) c.header("link", `<${nextPage(c.req.url, limit, skip)}>; rel="next"`);
  return c.json(sessions.slice(0, limit).map((session) => presentSession(session, c.env.TIME_ZONE, null)));
}

function nextPage(url: string, limit: number, skip: number): string {
  const next = new URL(url);
  next.searchParams.set("limit", String(limit));
  next.searchParams.set("skip", String(skip + limit));
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
  const found = await readSession(readerOf(c), id, withHistory ? applyPreference(c) : "added");
  if (!found) return respondWithProblem(c, sessionNotFound(id));
  const zone = c.env.TIME_ZONE;
  const history = withHistory ? presentHistory(found.session, found.messages, zone, include) : null;
  return c.json({ session: presentSession(found.session, zone, history) });
}

export async function deleteSession(c: AppContext, id: string) {
  const removed = await sessionStub(c.env, id).remove();
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
  const result = await measure(c, "session", object.prompt({ content: text, history: applyPreference(c), key }));
  if (!result.ok) return respondWithFailure(result.failure);
  markReplayed(c, result.value.replayed);
  const messages = await readRemaining(readerOf(c), result.value);
  return c.json(presentHistory(result.value.session, messages, c.env.TIME_ZONE, include));
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
  const template = await findPromptTemplate(database(c.env.DB), name);
  if (!template) return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: name });
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
  if (!contextStrategy) return respondWithProblem(c, { reason: "not-found", resource: "context strategy", id: name });
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
