import { Hono } from "hono";
import { notFound } from "../../core/failure.ts";
import { sessionStub } from "../../live/session-client.ts";
import { requireRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { timed } from "../http/context.ts";
import {
  FromQuery,
  SocketQuery,
  Ticket,
  respondWithEvents,
  openSocketTo,
  createTicket,
  upgradeOnly,
} from "../http/subscribe.ts";
import { describe } from "../openapi/describe.ts";
import { requireAllowedOrigin } from "../http/cors.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { query } from "../http/validate.ts";
import * as schemas from "./schemas.ts";

export const noSession = (id: string) => ({ reason: "not-found", resource: "session", id }) as const;

/** Only an id of this form is ever given to a comparison session; no other wakes an object. */
export const SESSION_ID = /_\d{8}-\d{6}(-\d+)?$/;

/** `/v1/sessions/:id/…`: following a session while it is under way. */
export const following = new Hono<AppEnv>({ strict: false })
  .get(
    "/:id/events",
    describe({
      id: "followComparisonSession",
      headers: ["last-event-id"],
      tag: "Moonshot",
      summary: "Follow a session by server-sent events",
      answer: { status: 200, description: "Everything that happens to it, until it ends", events: true },
      refusals: [404],
    }),
    query(FromQuery),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const events = SESSION_ID.test(id) ? await respondWithEvents(c, id, c.req.valid("query").after) : null;
      return events ?? respondWithProblem(c, noSession(id));
    },
  )
  .get(
    "/:id/ws",
    describe({
      id: "openComparisonSocket",
      headers: ["sec-websocket-protocol"],
      tag: "Moonshot",
      summary: "Follow a session, and put prompts to it, over a WebSocket",
      answer: { status: 101, description: "The socket is open" },
      refusals: [403, 404, 426],
    }),
    query(SocketQuery),
    upgradeOnly,
    requireRole("admin", "service"),
    requireAllowedOrigin,
    async (c) => {
      const id = c.req.param("id");
      const socket = SESSION_ID.test(id) ? await openSocketTo(c, id, c.req.valid("query").after) : null;
      return socket ?? respondWithProblem(c, noSession(id));
    },
  )
  .post(
    "/:id/tickets",
    describe({
      id: "createComparisonTicket",
      tag: "Moonshot",
      summary: "Get a ticket for opening a WebSocket from a browser: one use, 30 seconds",
      answer: { status: 201, description: "The ticket", schema: Ticket },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const ticket = await createTicket(c, id);
      return ticket ? c.json(ticket, 201) : respondWithProblem(c, noSession(id));
    },
  )
  .post(
    "/:id/cancel",
    describe({
      id: "cancelPrompts",
      tag: "Moonshot",
      summary: "Stop the running turn and those that wait; what the replies said so far is kept",
      answer: { status: 200, description: "Nothing runs any more", schema: schemas.Done },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const cancelled = SESSION_ID.test(id)
        ? await timed(c, "session", sessionStub(c.env, id).cancel())
        : notFound("session");
      return cancelled.ok ? c.json({ success: true as const }) : respondWithProblem(c, noSession(id));
    },
  );
