/**
 * The routes of `/v1/sessions` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies
 * and queries are not described here: the validators in `index.ts` document their own schemas.
 */
import { Ticket } from "../../http/response-fields.ts";
import type { Operations } from "../../openapi/operations.ts";
import { Success } from "../../moonshot-shared/response-schemas.ts";
import * as examples from "./examples.ts";
import { PromptResponse } from "./record-schemas.ts";
import { Statistics } from "./result-schemas.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot";

const [columns = ""] = examples.exportTexts["text/csv"].split("\r\n");

export const operations: Operations = {
  "GET /": {
    id: "listComparisonSessions",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List sessions, newest first",
    response: { status: 200, description: "The sessions", schema: schemas.Sessions, example: examples.listResponse },
  },
  "POST /": {
    id: "createComparisonSession",
    headers: ["idempotency-key"],
    tag,
    summary: "Create a session",
    response: {
      status: 200,
      description: "The session",
      schema: schemas.SessionResponse,
      example: examples.sessionResponse,
    },
    problems: [404, 409],
    example: examples.createBody,
  },
  "GET /:id": {
    id: "getComparisonSession",
    headers: ["prefer"],
    tag,
    summary: "Get a session, on request with its history",
    response: {
      status: 200,
      description: "The session",
      schema: schemas.SessionResponse,
      example: examples.historyResponse,
    },
    problems: [404],
  },
  "DELETE /:id": {
    id: "deleteComparisonSession",
    tag,
    summary: "Delete a session and its history",
    response: { status: 200, description: "Session deleted", schema: Success },
    problems: [404],
  },
  "POST /:id/prompt": {
    id: "prompt",
    headers: ["idempotency-key", "prefer"],
    tag,
    summary: "Send a prompt to every endpoint of a session",
    response: {
      status: 200,
      description:
        "The history of every chat (its newest records, of 1,000 messages or 4 million characters), or the events of the turn as they happen",
      schema: PromptResponse,
      events: examples.promptStream,
      example: examples.promptResponse,
    },
    problems: [404, 409, 429],
    example: examples.promptBody,
  },
  "POST /:id/replay": {
    id: "replayConversation",
    headers: ["prefer"],
    tag,
    summary: "Put the recorded conversation of a chat session to every endpoint, turn by turn",
    description:
      "All turns that were not put yet, or those from `from` to `to`. It goes on without its caller. The same call joins a replay that runs, and goes on with one that broke off.",
    response: {
      status: 200,
      description:
        "The history of every chat (its newest records, of 1,000 messages or 4 million characters) when the turns were put, or the events as they happen",
      schema: PromptResponse,
      events: examples.replayStream,
      example: examples.promptResponse,
    },
    problems: [404, 409, 429],
    example: {},
  },
  "POST /:id/adopt": {
    id: "adoptAnswer",
    tag,
    summary: "Adopt an answer in the chat session that the comparison was made from",
    description:
      "The answer becomes the active variant of the one that it competes with. The same record again answers the same.",
    response: {
      status: 200,
      description: "The message of the chat session",
      schema: schemas.AdoptResponse,
      example: { success: true, seq: 4 },
    },
    problems: [404, 409],
    example: examples.adoptBody,
  },
  "POST /:id/cancel": {
    id: "cancelPrompts",
    tag,
    summary: "Stop a replay, the running turn and all waiting turns. The text received so far is kept",
    response: { status: 200, description: "No turn is running", schema: Success },
    problems: [404],
  },
  "GET /:id/events": {
    id: "followComparisonSession",
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
    id: "openComparisonSocket",
    headers: ["sec-websocket-protocol"],
    tag,
    summary: "Follow a session, and send prompts to it, over a WebSocket",
    response: { status: 101, description: "The socket is open", frames: examples.socketFrames },
    problems: [403, 404, 426],
  },
  "POST /:id/tickets": {
    id: "createComparisonTicket",
    tag,
    summary: "Get a ticket that opens an event stream or a WebSocket from a browser: one use, 30 seconds",
    response: { status: 201, description: "The ticket", schema: Ticket },
    problems: [404],
  },
  "GET /:id/export": {
    id: "exportComparisonSession",
    tag,
    summary:
      "Export the records of a session, turn by turn and in the order of its chats, as its log is at the time of the call",
    description: `The columns of CSV: ${columns.split(",").join(", ")}.`,
    response: { status: 200, description: "A file, sent while the log is read", texts: examples.exportTexts },
    problems: [404],
  },
  "GET /:id/stats": {
    id: "getComparisonStatistics",
    tag,
    summary: "Get the statistics of a session: outcomes, times, tokens and cost of each chat, and in total",
    response: { status: 200, description: "The statistics", schema: Statistics, example: examples.statisticsResponse },
    problems: [404],
  },
  "PUT /:id/prompt_templates/:name": {
    id: "setPromptTemplate",
    tag,
    summary: "Use a template for the session's prompts from now on",
    response: { status: 200, description: "Template set", schema: Success },
    problems: [404],
  },
  "DELETE /:id/prompt_templates/:name": {
    id: "unsetPromptTemplate",
    tag,
    summary: "Stop using a template for the session's prompts",
    response: { status: 200, description: "Template unset", schema: Success },
    problems: [404],
  },
  "PUT /:id/system_prompt": {
    id: "setSystemPrompt",
    tag,
    summary: "Send a system prompt with the session's prompts from now on",
    response: { status: 200, description: "System prompt set", schema: Success },
    problems: [404],
    example: { system_prompt: "Answer in one sentence." },
  },
  "DELETE /:id/system_prompt": {
    id: "unsetSystemPrompt",
    tag,
    summary: "Stop sending a system prompt",
    response: { status: 200, description: "System prompt unset", schema: Success },
    problems: [404],
  },
  "PUT /:id/context_strategies/:name": {
    id: "setContextStrategy",
    tag,
    summary: "Send context with the session's prompts from now on",
    response: { status: 200, description: "Strategy set", schema: Success },
    problems: [404],
  },
  "DELETE /:id/context_strategies/:name": {
    id: "unsetContextStrategy",
    tag,
    summary: "Send the session's prompts without context",
    response: { status: 200, description: "Strategy unset", schema: Success },
    problems: [404],
  },
};
