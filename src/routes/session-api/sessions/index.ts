import { Hono } from "hono";
import { asObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { liveSession } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { chatbotDirectory, clientDirectory } from "../../../store/chatbots-and-clients.ts";
import { listChatbotSessions } from "../../../store/session-list.ts";
import { createChatbotSession } from "../../../store/sessions.ts";
import { audit } from "../../http/audit.ts";
import { permit } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { readList, timed, wantedHistory } from "../../http/context.ts";
import { Removed, asFound, asListed, changed, found, inEnvelope, listed } from "../envelope.ts";
import { createOnce, noteOf } from "../../http/idempotency.ts";
import { describe } from "../../openapi/describe.ts";
import { refuse } from "../../http/respond-with-problem.ts";
import { body, query } from "../../http/validate.ts";
import { referredToBy, wholeLog, wholeSession } from "../../http/whole-session.ts";
import * as examples from "./examples.ts";
import { following, noSession } from "./following.ts";
import { newSession } from "./new-session.ts";
import { forItself, listedClient, own } from "./own.ts";
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
        schema: changed(schemas.Session),
        example: examples.created,
      },
      refusals: [404, 409],
      example: examples.create,
    }),
    body(schemas.CreateSession),
    permit("admin", "service", "client"),
    forItself,
    createOnce,
    async (c) => {
      const input = c.req.valid("json");
      const db = database(c.env.DB);
      const chatbot = await timed(c, "index", chatbotDirectory.find(db, input.chatbotId));
      if (!chatbot) return refuse(c, { reason: "not-found", noun: "chatbot", id: null });
      const { session, greeting } = newSession(input, chatbot.greeting, now());
      const answer = inEnvelope(presentSession(session, greeting ? [greeting] : []), "Session created successfully");
      const note = noteOf(c, answer, 201);
      const created = await timed(c, "index", createChatbotSession(db, session, greeting, note));
      if (!created) {
        const client = await clientDirectory.find(db, input.clientId);
        return refuse(c, { reason: "not-found", noun: client ? "chatbot" : "client", id: null });
      }
      if (session.dueAt !== null) await liveSession(c.env, session.id).schedule();
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
        schema: changed(schemas.Session),
        example: examples.updated,
      },
      refusals: [404],
      example: examples.update,
    }),
    body(schemas.UpdateSession),
    permit("admin", "service", "client"),
    own(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return refuse(c, noSession);
      const amended = await timed(c, "session", liveSession(c.env, id).amend(c.req.valid("json"), wantedHistory(c)));
      if (!amended.ok) return refuse(c, amended.failure);
      const messages = await wholeLog(c, amended.value);
      return c.json(inEnvelope(presentSession(amended.value.session, messages), "Session updated successfully"));
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
        schema: found(schemas.PopulatedSession),
        example: examples.got,
      },
      refusals: [404],
    }),
    permit("admin", "service", "client"),
    own(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return refuse(c, noSession);
      const whole = await wholeSession(c, id, wantedHistory(c));
      if (!whole) return refuse(c, noSession);
      const { chatbot, client } = await timed(c, "index", referredToBy(c, whole));
      const { session, messages } = whole;
      return c.json(asFound(presentPopulated({ session, chatbot, client, messages }, c.var.caller.role)));
    },
  )
  .post(
    "/:id/end",
    describe({
      id: "endSession",
      headers: ["prefer"],
      tag: "Sessions",
      summary: "End an active session",
      answer: { status: 200, description: "Session ended", schema: changed(schemas.Session), example: examples.ended },
      refusals: [404],
    }),
    permit("admin", "service", "client"),
    own(notActive),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return refuse(c, notActive);
      const ended = await timed(c, "session", liveSession(c.env, id).end(wantedHistory(c)));
      if (!ended.ok) return refuse(c, ended.failure.reason === "not-found" ? notActive : ended.failure);
      const messages = await wholeLog(c, ended.value);
      return c.json(inEnvelope(presentSession(ended.value.session, messages), "Session ended successfully"));
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
        schema: listed(schemas.ListedSession),
        example: examples.list,
      },
    }),
    query(schemas.ListSessions),
    permit("admin", "service", "client"),
    async (c) => {
      const { limit, skip, startDate, endDate, ...given } = c.req.valid("query");
      const filter = {
        search: given.searchString ?? null,
        status: given.status ?? null,
        chatbotId: given.chatbotId ?? null,
        clientId: listedClient(c.var.caller, given.clientId),
        from: startDate?.from ?? null,
        before: endDate?.before ?? null,
      };
      const { role } = c.var.caller;
      const page = await readList(c, (db) => listChatbotSessions(db, filter, { limit, skip }));
      return c.json(
        asListed({ ...page, results: page.results.map((one) => presentListed(one, role)) }, { limit, skip }),
      );
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteSession",
      tag: "Sessions",
      summary: "Delete a session and its messages",
      answer: { status: 200, description: "Session deleted", schema: Removed },
      refusals: [404],
    }),
    permit("admin", "service", "client"),
    own(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return refuse(c, noSession);
      const removed = await timed(c, "session", liveSession(c.env, id).remove());
      if (!removed.ok) return refuse(c, removed.failure);
      audit(c, "session-deleted", { sessionId: id });
      return c.json({ success: true as const, message: "Session deleted successfully" });
    },
  )
  .route("/", talking)
  .route("/", following);
