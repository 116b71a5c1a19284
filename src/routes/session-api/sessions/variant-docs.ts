/** The routes for variants of a conversation as the OpenAPI document describes them. The others are in `docs.ts`. */
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema, mutationSchema } from "../envelope-schemas.ts";
import * as schemas from "./response-schemas.ts";
import * as examples from "./variant-examples.ts";

const tag = "Sessions";

export const variantOperations: Operations = {
  "POST /:id/messages/:seq/regenerate": {
    id: "regenerate",
    headers: ["idempotency-key"],
    tag,
    summary:
      "Ask again for a reply. The new one gets the history up to the prompt that both answer, becomes the active one, and nothing is overwritten",
    response: {
      status: 200,
      description: "The new reply, or the events of the turn as they happen",
      schema: mutationSchema(schemas.Message),
      events: examples.regenerateStream,
      example: examples.regenerateResponse,
    },
    problems: [404, 409, 429, 502, 503, 504],
    example: examples.regenerateBody,
  },
  "POST /:id/messages/:seq/edit": {
    id: "editMessage",
    headers: ["idempotency-key"],
    tag,
    summary: "Say a user message in another way. The new one becomes the active one, and is answered as by `chat`",
    response: {
      status: 200,
      description: "The reply, or the events of the turn as they happen",
      schema: mutationSchema(schemas.Message),
      events: examples.editStream,
      example: examples.editResponse,
    },
    problems: [404, 409, 429, 502, 503, 504],
    example: examples.editBody,
  },
  "PUT /:id/messages/:seq/active": {
    id: "activateMessage",
    tag,
    summary:
      "Show the path through a message, down to the newest message that follows it. Nothing is stopped or removed",
    response: {
      status: 200,
      description: "The active path",
      schema: itemSchema(schemas.ActivePath),
      example: examples.activePathResponse,
    },
    problems: [404, 409],
  },
  "POST /:id/branch": {
    id: "branchSession",
    headers: ["idempotency-key"],
    tag,
    summary: "Copy the path to a message into a new session of the same chatbot and client",
    response: {
      status: 201,
      description: "The new session",
      schema: mutationSchema(schemas.Session),
      example: examples.branchResponse,
    },
    problems: [404, 409],
    example: examples.branchBody,
  },
};
