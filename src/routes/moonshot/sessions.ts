import { Hono } from "hono";
import type { Context } from "hono";
import { asContextStrategy } from "../../core/prompt-template.ts";
import type { Failed } from "../../core/failure.ts";
import { notFound } from "../../core/failure.ts";
import type { Session, SessionChanges } from "../../core/session.ts";
import { now } from "../../core/time.ts";
import { sessionStub } from "../../live/session-client.ts";
import type { History } from "../../live/session-results.ts";
import { database } from "../../store/database.ts";
import { findPromptTemplate } from "../../store/prompt-templates.ts";
import { listComparisonSessions } from "../../store/session-list.ts";
import { audit } from "../http/audit.ts";
import { requireRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { readFromReplica, timed, wantedHistory } from "../http/context.ts";
import { openEvents, respondWithTurn, wantsEvents } from "../http/subscribe.ts";
import { createOnce, markReplayed, answerToSave, idempotencyKeyOf } from "../http/idempotency.ts";
import { describe } from "../openapi/describe.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { body, query } from "../http/validate.ts";
import { wholeLog, wholeSession } from "../http/whole-session.ts";
import * as examples from "./examples.ts";
import { SESSION_ID, following, noSession } from "./following.ts";
import { resolveNames, createUnderFreeId, newSession } from "./new-session.ts";
import { presentSession } from "./present.ts";
import { presentHistory } from "./records.ts";
import { results } from "./results.ts";
import * as schemas from "./schemas.ts";

/** `/v1/sessions`: one session, many endpoints. */
export const sessions = new Hono<AppEnv>({ strict: false })
  .get(
    "/",
    describe({
      id: "listComparisonSessions",
      headers: ["x-d1-bookmark"],
      tag: "Moonshot",
      summary: "List sessions, newest first",
      answer: { status: 200, description: "The sessions", schema: schemas.Sessions, example: examples.list },
    }),
    query(schemas.ListSessions),
    requireRole("admin", "service"),
    async (c) => {
      const { limit, skip } = c.req.valid("query");
      const found = await readFromReplica(c, (db) => listComparisonSessions(db, { limit: limit + 1, skip }));
      if (found.length > limit) c.header("link", `<${nextPage(c.req.url, limit, skip)}>; rel="next"`);
      return c.json(found.slice(0, limit).map((session) => presentSession(session, c.env.TIME_ZONE, null)));
    },
  )
  .post(
    "/",
    describe({
      id: "createComparisonSession",
      headers: ["idempotency-key"],
      tag: "Moonshot",
      summary: "Create a session",
      answer: { status: 200, description: "The session", schema: schemas.OneSession, example: examples.one },
      refusals: [404, 409],
      example: examples.create,
    }),
    body(schemas.CreateSession),
    requireRole("admin", "service"),
    createOnce,
    async (c) => {
      const input = c.req.valid("json");
      const db = database(c.env.DB);
      const named = await timed(c, "index", resolveNames(db, input));
      if (!named.ok) return respondWithProblem(c, named.failure);
      const answerOf = (session: Session) => ({ session: presentSession(session, c.env.TIME_ZONE, null) });
      const wanted = await newSession(db, input, now(), c.env.TIME_ZONE);
      const created = createUnderFreeId(db, wanted, (session) => answerToSave(c, answerOf(session), 200));
      return c.json(answerOf(await timed(c, "index", created)));
    },
  )
  .get(
    "/:id",
    describe({
      id: "getComparisonSession",
      headers: ["prefer"],
      tag: "Moonshot",
      summary: "Get a session, with its history if asked for",
      answer: { status: 200, description: "The session", schema: schemas.OneSession, example: examples.withHistory },
      refusals: [404],
    }),
    query(schemas.GetSession),
    requireRole("admin", "service"),
    async (c) => {
      const { include_history: withHistory, include } = c.req.valid("query");
      const whole = await wholeComparison(c, c.req.param("id"), withHistory ? wantedHistory(c) : "added");
      if (!whole) return respondWithProblem(c, noSession(c.req.param("id")));
      const zone = c.env.TIME_ZONE;
      const history = withHistory ? presentHistory(whole.session, whole.messages, zone, include) : null;
      return c.json({ session: presentSession(whole.session, zone, history) });
    },
  )
  .post(
    "/:id/prompt",
    describe({
      id: "prompt",
      headers: ["idempotency-key", "prefer"],
      tag: "Moonshot",
      summary: "Put a prompt to every endpoint of a session",
      answer: {
        status: 200,
        description: "The whole history of every chat, or the turn's events as they come",
        schema: schemas.History,
        events: true,
        example: examples.history,
      },
      refusals: [404, 409, 429],
      example: examples.prompt,
    }),
    query(schemas.PutPrompt),
    body(schemas.Prompt),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      if (!SESSION_ID.test(id)) return respondWithProblem(c, noSession(id));
      const object = sessionStub(c.env, id);
      const { prompt } = c.req.valid("json");
      const refused = ({ failure }: Failed) =>
        respondWithProblem(c, failure.reason === "session-not-active" ? noSession(id) : failure);
      if (wantsEvents(c)) {
        const followed = await openEvents(c, object, (readerId) =>
          object.promptAndFollow(prompt, idempotencyKeyOf(c), readerId),
        );
        return followed.ok ? respondWithTurn(c, followed.value) : refused(followed);
      }
      const taken = await timed(c, "session", object.prompt(prompt, wantedHistory(c), idempotencyKeyOf(c)));
      if (!taken.ok) return refused(taken);
      markReplayed(c, taken.value.replayed);
      const log = await wholeLog(c, taken.value);
      return c.json(presentHistory(taken.value.session, log, c.env.TIME_ZONE, c.req.valid("query").include));
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteComparisonSession",
      tag: "Moonshot",
      summary: "Delete a session and its history",
      answer: { status: 200, description: "Session deleted", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const removed = SESSION_ID.test(id) ? await sessionStub(c.env, id).remove() : notFound("session");
      if (!removed.ok) return respondWithProblem(c, noSession(id));
      audit(c, "session-deleted", { sessionId: id });
      return c.json({ success: true as const });
    },
  )
  .put(
    "/:id/prompt_templates/:name",
    describe({
      id: "setPromptTemplate",
      tag: "Moonshot",
      summary: "Set the session's prompts in a template from now on",
      answer: { status: 200, description: "Template set", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const promptTemplate = c.req.param("name");
      const there = await findPromptTemplate(database(c.env.DB), promptTemplate);
      if (!there)
        return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: promptTemplate });
      return amend(c, c.req.param("id"), { promptTemplate });
    },
  )
  .delete(
    "/:id/prompt_templates/:name",
    describe({
      id: "unsetPromptTemplate",
      tag: "Moonshot",
      summary: "Take the session's prompts out of a template",
      answer: { status: 200, description: "Template unset", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const name = c.req.param("name");
      const whole = await wholeComparison(c, c.req.param("id"), "added");
      if (whole && whole.session.promptTemplate !== name)
        return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: name });
      return amend(c, c.req.param("id"), { promptTemplate: null });
    },
  )
  .put(
    "/:id/context_strategies/:name",
    describe({
      id: "setContextStrategy",
      tag: "Moonshot",
      summary: "Send context along with the session's prompts from now on",
      answer: { status: 200, description: "Strategy set", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const contextStrategy = asContextStrategy(c.req.param("name"));
      if (!contextStrategy)
        return respondWithProblem(c, { reason: "not-found", resource: "context strategy", id: c.req.param("name") });
      return amend(c, c.req.param("id"), { contextStrategy });
    },
  )
  .delete(
    "/:id/context_strategies/:name",
    describe({
      id: "unsetContextStrategy",
      tag: "Moonshot",
      summary: "Send the session's prompts without context",
      answer: { status: 200, description: "Strategy unset", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const name = c.req.param("name");
      const whole = await wholeComparison(c, c.req.param("id"), "added");
      if (whole && whole.session.contextStrategy !== name)
        return respondWithProblem(c, { reason: "not-found", resource: "context strategy", id: name });
      return amend(c, c.req.param("id"), { contextStrategy: null });
    },
  )
  .route("/", following)
  .route("/", results);

async function amend(c: Context<AppEnv>, id: string, changes: SessionChanges) {
  const amended = SESSION_ID.test(id)
    ? await timed(c, "session", sessionStub(c.env, id).amend(changes, "added"))
    : notFound("session");
  if (!amended.ok)
    return respondWithProblem(c, amended.failure.reason === "not-found" ? noSession(id) : amended.failure);
  return c.json({ success: true as const });
}

const wholeComparison = async (c: Context<AppEnv>, id: string, history: History) =>
  SESSION_ID.test(id) ? wholeSession(c, id, history) : null;

function nextPage(url: string, limit: number, skip: number): string {
  const next = new URL(url);
  next.searchParams.set("limit", String(limit));
  next.searchParams.set("skip", String(skip + limit));
  return next.pathname + next.search;
}
