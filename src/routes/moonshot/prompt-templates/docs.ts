/**
 * The routes of `/v1/prompt_templates` as the OpenAPI document describes them: summaries, answers, problems, examples.
 * Bodies and queries are not described here: the validators in `index.ts` document their own schemas.
 */
import type { Operations } from "../../openapi/operations.ts";
import { Success } from "../../moonshot-shared/response-schemas.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot";

export const operations: Operations = {
  "GET /": {
    id: "listPromptTemplates",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List prompt templates, by name",
    response: {
      status: 200,
      description: "All templates. A long list is sent while it is read",
      schema: schemas.PromptTemplate.array(),
    },
  },
  "POST /": {
    id: "createPromptTemplate",
    headers: ["idempotency-key"],
    tag,
    summary: "Create a prompt template",
    response: { status: 200, description: "Template created", schema: Success },
    problems: [409],
    example: {
      name: "mcq",
      description: "Asks for one letter",
      template: "{{ prompt }}\nAnswer with one letter.",
    },
  },
  "DELETE /:name": {
    id: "deletePromptTemplate",
    tag,
    summary: "Delete a prompt template that no active session uses",
    response: { status: 200, description: "Template deleted", schema: Success },
    problems: [404, 409],
  },
};
