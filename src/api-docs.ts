/**
 * The table of contents of the OpenAPI document: the dialects in it, and the operations of the service itself. The Worker
 * does not import this file: `/openapi.json` and `/docs` are made from it when the Worker is built. No effects.
 */
import { app } from "./app.ts";
import { aiSdkDocs } from "./routes/ai-sdk/docs.ts";
import { moonshot07Docs } from "./routes/moonshot-07/docs.ts";
import { moonshotDocs } from "./routes/moonshot/docs.ts";
import { operations as health } from "./routes/health-docs.ts";
import type { DialectDocs, Operations } from "./routes/openapi/operations.ts";
import { openaiDocs } from "./routes/openai/docs.ts";
import { operations as pages } from "./routes/openapi/docs.ts";
import { describedRoutes, openapiDocument } from "./routes/openapi/document.ts";
import { sessionApiDocs } from "./routes/session-api/docs.ts";

/** The documentation of the dialects that `app.ts` lists, in the same order. */
export const dialectDocs: readonly DialectDocs[] = [
  moonshotDocs,
  moonshot07Docs,
  openaiDocs,
  aiSdkDocs,
  sessionApiDocs,
];

export const operations: Operations = {
  ...moonshotDocs.operations,
  ...moonshot07Docs.operations,
  ...openaiDocs.operations,
  ...aiSdkDocs.operations,
  ...sessionApiDocs.operations,
  ...health,
  ...pages,
};

/** Every route with its operation and its inputs. */
export const apiRoutes = describedRoutes(app, operations);

export const apiDocument = openapiDocument(apiRoutes, dialectDocs);
