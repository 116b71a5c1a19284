/**
 * The routes of `/sessions` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import * as z from "zod";
import { Ticket } from "../../http/response-fields.ts";
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope-schemas.ts";
import * as examples from "./examples.ts";
import * as schemas from "./response-schemas.ts";
import { variantOperations } from "./variant-docs.ts";

const tag = "Sessions";

export const operations: Operations = {
  ...variantOperations,
  "POST /": {
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
  },
  "GET /": {
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
  },
  "GET /:id": {
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
  },
  "PUT /:id": {
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
  },
  "DELETE /:id": {
    id: "deleteSession",
    tag,
    summary: "Delete a session and its messages",
    response: { status: 200, description: "Session deleted", schema: removalSchema },
    problems: [404],
  },
  "POST /:id/end": {
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
  },
  "POST /:id/stop": {
    id: "stopTurn",
    tag,
    summary: "Stop the running turn. The text received so far is kept",
    response: {
      status: 200,
      description: "Whether a turn was running",
      schema: mutationSchema(z.object({ stopped: z.boolean() })),
    },
    problems: [404],
  },
  "POST /:id/request-human": {
    id: "requestHuman",
    tag,
    summary: "Ask for a person. The chatbot answers until one takes over",
    response: {
      status: 200,
      description: "Who answers now: `waiting`, or `human` if a person does already",
      schema: mutationSchema(schemas.Handling),
      example: examples.requestHumanResponse,
    },
    problems: [404],
    example: examples.requestHumanBody,
  },
  "POST /:id/takeover": {
    id: "takeOver",
    tag,
    summary:
      "Answer in the chatbot's place. A reply that runs is stopped, and after this call none follows: `chat` only stores messages. Add yours as role `assistant`",
    response: {
      status: 200,
      description: "The person answers now",
      schema: mutationSchema(schemas.Handling),
      example: examples.takeOverResponse,
    },
    problems: [404],
    example: examples.takeOverBody,
  },
  "POST /:id/handback": {
    id: "handBack",
    tag,
    summary: "Let the chatbot answer again. It gets what the person wrote, and not the note",
    response: {
      status: 200,
      description: "The chatbot answers now",
      schema: mutationSchema(schemas.Handling),
      example: examples.handBackResponse,
    },
    problems: [404],
    example: examples.handBackBody,
  },
  "GET /:id/messages": {
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
  },
  "GET /:id/export": {
    id: "exportSession",
    tag,
    summary:
      "Export the replies of a session, each with the prompt that it answers, as its log is at the time of the call. Role client: without endpoint, model, cost, attempts and the provider's words",
    response: { status: 200, description: "A file, sent while the log is read", texts: examples.exportTexts },
    problems: [404],
  },
  "GET /:id/stats": {
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
  },
  "GET /:id/events": {
    id: "followSession",
    headers: ["last-event-id"],
    tag,
    summary: "Follow a session by server-sent events",
    response: { status: 200, description: "All events of the session, until it ends", events: examples.sessionStream },
    otherResponses: [
      { status: 204, description: "The session has ended, and `Last-Event-ID` says that you have all of it" },
    ],
    problems: [403, 404],
  },
  "GET /:id/ws": {
    id: "openSocket",
    headers: ["sec-websocket-protocol"],
    tag,
    summary: "Follow a session, and take part in it, over a WebSocket",
    response: { status: 101, description: "The socket is open", frames: examples.socketFrames },
    problems: [403, 404, 426],
  },
  "POST /:id/tickets": {
    id: "createTicket",
    tag,
    summary: "Get a ticket that opens an event stream or a WebSocket from a browser: one use, 30 seconds",
    response: { status: 201, description: "The ticket", schema: mutationSchema(Ticket) },
    problems: [404],
  },
  "POST /message": {
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
  },
  "POST /chat": {
    id: "chat",
    headers: ["idempotency-key"],
    tag,
    summary: "Send a message to the chatbot and get its reply",
    response: {
      status: 200,
      description: "The reply, or the events of the turn as they happen",
      schema: mutationSchema(schemas.Message),
      events: examples.chatStream,
      example: examples.chatResponse,
    },
    otherResponses: [
      {
        status: 202,
        description: "The message is stored. A person answers, later",
        schema: mutationSchema(schemas.StoredMessage),
        example: examples.storedResponse,
      },
    ],
    problems: [404, 409, 429, 502, 503, 504],
    example: examples.chatBody,
  },
};
