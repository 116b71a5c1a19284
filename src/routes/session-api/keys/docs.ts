/**
 * The routes of `/keys` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema, mutationSchema, removalSchema } from "../envelope-schemas.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Keys";

export const operations: Operations = {
  "POST /": {
    id: "createKey",
    tag,
    summary: "Create an API key. A service may create keys of role client for 24 hours at most",
    response: { status: 201, description: "Key created", schema: mutationSchema(schemas.NewKey) },
    problems: [403, 404],
    example: { name: "Ada, phone", role: "client", clientId: "65f3a1b2c4d5e6f708192a3c" },
  },
  "GET /": {
    id: "listKeys",
    tag,
    summary: "List API keys, newest first",
    response: {
      status: 200,
      description: "Keys without their tokens: the newest 1,000, further ones with skip",
      schema: itemSchema(schemas.Key.array()),
    },
    problems: [403],
  },
  "DELETE /:id": {
    id: "deleteKey",
    tag,
    summary: "Revoke an API key",
    response: { status: 200, description: "Key revoked", schema: removalSchema },
    problems: [403, 404],
  },
};
