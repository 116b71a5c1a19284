/**
 * `/v1/prompt_templates`: Jinja templates for prompts. This file lists the routes with their middleware, in the order
 * of the checks. In this folder: `docs` describes the routes for OpenAPI, `handlers` handles them, `schemas` has the
 * schemas of requests and responses.
 */
import { Hono } from "hono/tiny";
import { allowServices } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { createOnce } from "../../http/idempotency.ts";
import { body } from "../../http/validate.ts";
import { deletePromptTemplate } from "../../moonshot-shared/prompt-templates/delete-prompt-template.ts";
import * as handlers from "./handlers.ts";
import * as schemas from "./schemas.ts";

export const promptTemplates = new Hono<AppEnv>({ strict: false })
  .get("/", allowServices, handlers.listPromptTemplates)
  .post("/", body(schemas.CreatePromptTemplate), allowServices, createOnce, (c) =>
    handlers.createPromptTemplate(c, c.req.valid("json")),
  )
  .delete("/:name", allowServices, (c) => deletePromptTemplate(c, c.req.param("name")));
