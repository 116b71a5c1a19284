import { Hono } from "hono";
import type { Context } from "hono";
import * as z from "zod";
import { asObjectId } from "../../../core/id.ts";
import type { Message } from "../../../core/message.ts";
import type { Batch } from "../../../core/page.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { messagesPage } from "../../../store/messages.ts";
import { findSession } from "../../../store/sessions.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { timed } from "../../http/context.ts";
import { itemBody, mutationSchema, itemSchema, mutationBody } from "../envelope.ts";
import {
  FromQuery,
  SocketQuery,
  Ticket,
  respondWithEvents,
  openSocketTo,
  createTicket,
  upgradeOnly,
} from "../../http/subscribe.ts";
import { describe } from "../../openapi/describe.ts";
import { requireAllowedOrigin } from "../../http/cors.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { query } from "../../http/validate.ts";
import { requireOwnSession } from "./own.ts";
import { presentMessage } from "./present.ts";
import * as schemas from "./schemas.ts";

export const noSession = { reason: "not-found", resource: "session", id: null } as const;

/** `/sessions/:id/…`: following a session while it is under way. */
export const following = new Hono<AppEnv>({ strict: false })
  .get(
    "/:id/messages",
    describe({
      id: "listMessages",
      tag: "Sessions",
      summary: "Read a long log page by page",
      answer: {
        status: 200,
        description: "Messages after one, oldest first",
        schema: itemSchema(schemas.MessagesPage),
      },
      refusals: [404],
    }),
    query(schemas.MessagesQuery),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      const { after, limit } = c.req.valid("query");
      const page = id && (await messagesAfter(c, id, after, limit));
      if (!page) return respondWithProblem(c, noSession);
      const messages = page.items.map((message) => ({ seq: message.seq, ...presentMessage(message) }));
      return c.json(itemBody({ messages, ...(page.hasMore ? { nextAfter: messages.at(-1)?.seq ?? after } : {}) }));
    },
  )
  .get(
    "/:id/events",
    describe({
      id: "followSession",
      headers: ["last-event-id"],
      tag: "Sessions",
      summary: "Follow a session by server-sent events",
      answer: { status: 200, description: "Everything that happens to it, until it ends", events: true },
      refusals: [404],
    }),
    query(FromQuery),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      return (id && (await respondWithEvents(c, id, c.req.valid("query").after))) || respondWithProblem(c, noSession);
    },
  )
  .get(
    "/:id/ws",
    describe({
      id: "openSocket",
      headers: ["sec-websocket-protocol"],
      tag: "Sessions",
      summary: "Follow a session, and take part in it, over a WebSocket",
      answer: { status: 101, description: "The socket is open" },
      refusals: [403, 404, 426],
    }),
    query(SocketQuery),
    upgradeOnly,
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    requireAllowedOrigin,
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      return (id && (await openSocketTo(c, id, c.req.valid("query").after))) || respondWithProblem(c, noSession);
    },
  )
  .post(
    "/:id/tickets",
    describe({
      id: "createTicket",
      tag: "Sessions",
      summary: "Get a ticket for opening a WebSocket from a browser: one use, 30 seconds",
      answer: { status: 201, description: "The ticket", schema: mutationSchema(Ticket) },
      refusals: [404],
    }),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      const ticket = id && (await createTicket(c, id));
      return ticket
        ? c.json(mutationBody(ticket, "Ticket created successfully"), 201)
        : respondWithProblem(c, noSession);
    },
  )
  .post(
    "/:id/stop",
    describe({
      id: "stopTurn",
      tag: "Sessions",
      summary: "Stop the running turn; what the reply said so far is kept",
      answer: {
        status: 200,
        description: "Whether there was one to stop",
        schema: mutationSchema(z.object({ stopped: z.boolean() })),
      },
      refusals: [404],
    }),
    requireRole("admin", "service", "client"),
    requireOwnSession(noSession),
    async (c) => {
      const id = asObjectId(c.req.param("id"));
      if (id === null) return respondWithProblem(c, noSession);
      const stopped = await timed(c, "session", sessionStub(c.env, id).stop());
      if (!stopped.ok) return respondWithProblem(c, stopped.failure);
      const message = stopped.value ? "Turn stopped successfully" : "No turn was running";
      return c.json(mutationBody({ stopped: stopped.value }, message));
    },
  );

/** From the session's object, or from the index database where that has all there is; `null` for no session. */
async function messagesAfter(
  c: Context<AppEnv>,
  id: string,
  after: number,
  limit: number,
): Promise<Batch<Message> | null> {
  const live = await timed(c, "session", sessionStub(c.env, id).page(after, limit, "shown"));
  if (!live.ok) return null;
  if (live.value) return live.value;
  const db = database(c.env.DB);
  const session = await timed(c, "index", findSession(db, id));
  return session && timed(c, "index", messagesPage(db, id, after, limit, "shown"));
}
