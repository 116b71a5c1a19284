import { Hono } from "hono";
import { asObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { chatbotStore, clientStore } from "../../../store/chatbots-and-clients.ts";
import { listChatbotSessions } from "../../../store/session-list.ts";
import { createChatbotSession } from "../../../store/sessions.ts";
import { audit } from "../../http/audit.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica, timed, wantedHistory } from "../../http/context.ts";
import {
  removalSchema,
  itemBody,
  pageBody,
  mutationSchema,
  itemSchema,
  mutationBody,
  pageSchema,
} from "../envelope.ts";
import { createOnce, answerToSave } from "../../http/idempotency.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { body, query } from "../../http/validate.ts";
import { referredToBy, wholeLog, wholeSession } from "../../http/whole-session.ts";
import * as examples from "./examples.ts";
import { following, noSession } from "./following.ts";
import { newSession } from "./new-session.ts";
import { requireOwnClient, clientFilter, requireOwnSession } from "./own.ts";
import { presentListed, presentPopulated, presentSession } from "./present.ts";
import * as schemas from "./schemas.ts";
import { notActive, talking } from "./talking.ts";

/** `/sessions`: chat sessions between chatbots and clients. */
export const sessions = new Hono<AppEnv>({ strict: false })
  .post(
    "/",
    describe({
      id: "createSession",
      headers: ["idempotency-key"],
      tag: "Sessions",
      summary: "Create a session",
      answer: {
        status: 201,
        description: "Session created",
        schema: mutationSchema(schemas.Session),
        example: examples.created,
      },
      refusals: [404, 409],
      example: examples.create,
    }),
    body(schemas.CreateSession),
    requireRole("admin", "service", "client"),
    requireOwnClient,
    createOnce,
    async (c) => {
      const input = c.req.valid("json");
      const db = database(c.env.DB);
      const chatbot = await timed(c, "index", chatbotStore.find(db, input.chatbotId));
      if (!chatbot) return respondWithProblem(c, { reason: "not-found", resource: "chatbot", id: null });
      const { session, greeting } = newSession(input, chatbot.greeting, now());
      const answer = mutationBody(presentSession(session, greeting ? [greeting] : []), "Session created successfully");
      const note = answerToSave(c, answer, 201);
      const created = await timed(c, "index", createChatbotSession(db, session, greeting, note));
      if (!created) {
        const client = await clientStore.find(db, input.clientId);
        return respondWithProblem(c, { reason: "not-found", resource: client ? "chatbot" : "client", id: null });
      }
      if (session.dueAt !== null) await sessionStub(c.env, session.id).schedule();
      return c.json(answer, 201);
    },
  )
  .put(
    "/:id",
    describe({
      id: "updateSession",
      headers: ["prefer"],
      tag: "Sessions",
      summary: "Update a session",
      answer: {
        status: 200,
        description: "Session updated",
        schema: mutationSchema(schemas.Session),
        example: examples.updated,
      },
      refusals: [404],
      example: examples.update,
    }),
    body(schemas.UpdateSession),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return respondWithProblem(c, noSession);
      const amended = await timed(c, "session", sessionStub(c.env, id).amend(c.req.valid("json"), wantedHistory(c)));
      if (!amended.ok) return respondWithProblem(c, amended.failure);
      const messages = await wholeLog(c, amended.value);
      return c.json(mutationBody(presentSession(amended.value.session, messages), "Session updated successfully"));
    },
  )
  .get(
    "/:id",
    describe({
      id: "getSession",
      headers: ["prefer"],
      tag: "Sessions",
      summary: "Get a session",
      answer: {
        status: 200,
        description: "The session",
        schema: itemSchema(schemas.PopulatedSession),
        example: examples.got,
      },
      refusals: [404],
    }),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return respondWithProblem(c, noSession);
      const whole = await wholeSession(c, id, wantedHistory(c));
      if (!whole) return respondWithProblem(c, noSession);
      const { chatbot, client } = await timed(c, "index", referredToBy(c, whole));
      const { session, messages } = whole;
      return c.json(itemBody(presentPopulated({ session, chatbot, client, messages }, c.var.caller.role)));
    },
  )
  .post(
    "/:id/end",
    describe({
      id: "endSession",
      headers: ["prefer"],
      tag: "Sessions",
      summary: "End an active session",
      answer: {
        status: 200,
        description: "Session ended",
        schema: mutationSchema(schemas.Session),
        example: examples.ended,
      },
      refusals: [404],
    }),
    requireRole("admin", "service", "client"),
    requireOwnSession(notActive),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return respondWithProblem(c, notActive);
      const ended = await timed(c, "session", sessionStub(c.env, id).end(wantedHistory(c)));
      if (!ended.ok) return respondWithProblem(c, ended.failure.reason === "not-found" ? notActive : ended.failure);
      const messages = await wholeLog(c, ended.value);
      return c.json(mutationBody(presentSession(ended.value.session, messages), "Session ended successfully"));
    },
  )
  .get(
    "/",
    describe({
      id: "listSessions",
      headers: ["x-d1-bookmark"],
      tag: "Sessions",
      summary: "List and search sessions, newest first",
      answer: {
        status: 200,
        description: "A page of sessions",
        schema: pageSchema(schemas.ListedSession),
        example: examples.list,
      },
    }),
    query(schemas.ListSessions),
    requireRole("admin", "service", "client"),
    async (c) => {
      const { limit, skip, startDate, endDate, ...given } = c.req.valid("query");
      const filter = {
        search: given.searchString ?? null,
        status: given.status ?? null,
        chatbotId: given.chatbotId ?? null,
        clientId: clientFilter(c.var.caller, given.clientId),
        from: startDate?.from ?? null,
        before: endDate?.before ?? null,
      };
      const { role } = c.var.caller;
      const page = await readFromReplica(c, (db) => listChatbotSessions(db, filter, { limit, skip }));
      return c.json(
        pageBody({ ...page, results: page.results.map((one) => presentListed(one, role)) }, { limit, skip }),
      );
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteSession",
      tag: "Sessions",
      summary: "Delete a session and its messages",
      answer: { status: 200, description: "Session deleted", schema: removalSchema },
      refusals: [404],
    }),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return respondWithProblem(c, noSession);
      const removed = await timed(c, "session", sessionStub(c.env, id).remove());
      if (!removed.ok) return respondWithProblem(c, removed.failure);
      audit(c, "session-deleted", { sessionId: id });
      return c.json({ success: true as const, message: "Session deleted successfully" });
    },
  )
  .route("/", talking)
  .route("/", following);
