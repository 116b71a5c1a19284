/** Moonshot 0.7 in the OpenAPI document: its tag, its failures and the operations of its resources. */
import { MoonshotFailure, MoonshotInputFailure } from "../moonshot-shared/response-schemas.ts";
import { mountedAt } from "../openapi/operations.ts";
import type { DialectDocs } from "../openapi/operations.ts";
import { moonshot07 } from "./dialect.ts";
import { operations as bookmarks } from "./bookmarks/docs.ts";
import { operations as lists } from "./lists/docs.ts";
import { operations as llmEndpoints } from "./llm-endpoints/docs.ts";
import { operations as sessions } from "./sessions/docs.ts";

export const moonshot07Docs: DialectDocs = {
  dialect: moonshot07,
  tags: { "Moonshot 0.7": "What the web UI of Moonshot 0.7 calls, over the sessions of the Moonshot API" },
  problemSchema: (httpStatus) => (httpStatus === 422 ? MoonshotInputFailure : MoonshotFailure),
  operations: {
    ...mountedAt("/api/v1/sessions", sessions),
    ...mountedAt("/api/v1/llm-endpoints", llmEndpoints),
    ...mountedAt("/api/v1/bookmarks", bookmarks),
    ...mountedAt("/api/v1", lists),
  },
};
