/**
 * The routes of feedback on messages as the OpenAPI document describes them: summaries, answers, problems, examples.
 */
import type { Operations } from "../../openapi/operations.ts";
import { mutationSchema, pageSchema, removalSchema } from "../envelope-schemas.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Feedback";

const sessionId = "65f3a1b2c4d5e6f708192a3d";
const given = { rating: -1, tags: ["wrong"], comment: "It was delivered to the neighbour" };
const updatedAt = "2024-03-14T20:33:10.402Z";

const listed = {
  sessionId,
  seq: 3,
  chatbotId: "65f3a1b2c4d5e6f708192a3b",
  clientId: "65f3a1b2c4d5e6f708192a3c",
  ...given,
  updatedAt,
  message: { role: "assistant", content: "Let me look that up.", timestamp: "2024-03-14T20:32:03.154Z" },
  userMessage: { seq: 2, content: "Where is my order?", timestamp: "2024-03-14T20:32:02.114Z" },
};

export const operations: Operations = {
  "GET /": {
    id: "listFeedback",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List feedback on messages, the newest change first",
    response: {
      status: 200,
      description: "A page of feedback, each with the message and the user message that it answers",
      schema: pageSchema(schemas.ListedFeedback),
      example: {
        success: true,
        data: {
          results: [listed],
          paginatorInfo: {
            count: 1,
            currentPage: 1,
            hasMorePages: false,
            lastPage: 1,
            limit: 10,
            perPage: 10,
            total: 1,
          },
        },
      },
    },
  },
};

/** Those that are among the routes of a session. */
export const operationsOfSession: Operations = {
  "PUT /:id/messages/:seq/feedback": {
    id: "setFeedback",
    tag,
    summary:
      "Rate an answer of the chatbot, or of a person in its place. It replaces earlier feedback on this message. Sessions that have ended can be rated too",
    response: {
      status: 200,
      description: "Feedback saved",
      schema: mutationSchema(schemas.GivenFeedback),
      example: {
        success: true,
        message: "Feedback saved successfully",
        data: { sessionId, seq: 3, ...given, updatedAt },
      },
    },
    problems: [404, 409],
    example: given,
  },
  "DELETE /:id/messages/:seq/feedback": {
    id: "removeFeedback",
    tag,
    summary: "Take back the feedback on a message",
    response: { status: 200, description: "Feedback removed", schema: removalSchema },
    problems: [404],
  },
};
