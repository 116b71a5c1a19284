/**
 * The routes of `/sessions` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import * as z from "zod";
import { Ticket } from "../../http/subscribe.ts";
import { describe } from "../../openapi/describe.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope.ts";
import * as examples from "./examples.ts";
import * as schemas from "./schemas.ts";

const tag = "Sessions";

export const createSession = describe({
  id: "createSession",
  headers: ["idempotency-key"],
  tag,
  summary: "Create a session",
  response: {
    status: 201,
    description: "Session created",
    schema: mutationSchema(schemas.Session),
    example: examples.createResponse,
  },
  problems: [404, 409],
  example: examples.createBody,
});

export const listSessions = describe({
  id: "listSessions",
  headers: ["x-d1-bookmark"],
  tag,
  summary: "List and search sessions, newest first",
  response: {
    status: 200,
    description: "A page of sessions",
    schema: pageSchema(schemas.ListedSession),
    example: examples.listResponse,
  },
});

export const getSession = describe({
  id: "getSession",
  headers: ["prefer"],
  tag,
  summary: "Get a session",
  response: {
    status: 200,
    description: "The session",
    schema: itemSchema(schemas.PopulatedSession),
    example: examples.getResponse,
  },
  problems: [404],
});

export const updateSession = describe({
  id: "updateSession",
  headers: ["prefer"],
  tag,
  summary: "Update a session",
  response: {
    status: 200,
    description: "Session updated",
    schema: mutationSchema(schemas.Session),
    example: examples.updateResponse,
  },
  problems: [404],
  example: examples.updateBody,
});

export const deleteSession = describe({
  id: "deleteSession",
  tag,
  summary: "Delete a session and its messages",
  response: { status: 200, description: "Session deleted", schema: removalSchema },
  problems: [404],
});

export const endSession = describe({
  id: "endSession",
  headers: ["prefer"],
  tag,
  summary: "End an active session",
  response: {
    status: 200,
    description: "Session ended",
    schema: mutationSchema(schemas.Session),
    example: examples.endResponse,
  },
  problems: [404],
});

export const stopTurn = describe({
  id: "stopTurn",
  tag,
  summary: "Stop the running turn. The text received so far is kept",
  response: {
    status: 200,
    description: "Whether a turn was running",
    schema: mutationSchema(z.object({ stopped: z.boolean() })),
  },
  problems: [404],
});

export const listMessages = describe({
  id: "listMessages",
  tag,
  summary: "Read a long log page by page",
  response: {
    status: 200,
    description: "Messages after a sequence number, oldest first",
    schema: itemSchema(schemas.MessagesPage),
    example: examples.messagesResponse,
  },
  problems: [404],
});

export const exportSession = describe({
  id: "exportSession",
  tag,
  summary:
    "Export the replies of a session, each with the prompt that it answers, as its log is at the time of the call. Role client: without endpoint, model, cost, attempts and the provider's words",
  response: { status: 200, description: "A file, sent while the log is read", texts: examples.exportTexts },
  problems: [404],
});

export const getStatistics = describe({
  id: "getStatistics",
  tag,
  summary: "Get the statistics of a session: outcomes, times, tokens and cost of its replies",
  response: {
    status: 200,
    description: "The statistics",
    schema: itemSchema(schemas.Statistics),
    example: examples.statisticsResponse,
  },
  problems: [404],
});

export const followSession = describe({
  id: "followSession",
  headers: ["last-event-id"],
  tag,
  summary: "Follow a session by server-sent events",
  response: { status: 200, description: "All events of the session, until it ends", events: true },
  problems: [403, 404],
});

export const openSocket = describe({
  id: "openSocket",
  headers: ["sec-websocket-protocol"],
  tag,
  summary: "Follow a session, and take part in it, over a WebSocket",
  response: { status: 101, description: "The socket is open" },
  problems: [403, 404, 426],
});

export const createTicket = describe({
  id: "createTicket",
  tag,
  summary: "Get a ticket that opens an event stream or a WebSocket from a browser: one use, 30 seconds",
  response: { status: 201, description: "The ticket", schema: mutationSchema(Ticket) },
  problems: [404],
});

export const addMessage = describe({
  id: "addMessage",
  headers: ["idempotency-key", "prefer"],
  tag,
  summary: "Add a message",
  response: {
    status: 200,
    description: "Message added",
    schema: mutationSchema(schemas.Session),
    example: examples.messageResponse,
  },
  problems: [404, 409],
  example: examples.messageBody,
});

export const chat = describe({
  id: "chat",
  headers: ["idempotency-key"],
  tag,
  summary: "Send a message to the chatbot and get its reply",
  response: {
    status: 200,
    description: "The reply, or the events of the turn as they happen",
    schema: mutationSchema(schemas.Message),
    events: true,
    example: examples.chatResponse,
  },
  problems: [404, 409, 429, 502, 503, 504],
  example: examples.chatBody,
});
