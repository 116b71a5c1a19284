import { Hono } from "hono";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";
import { now } from "../../core/time.ts";
import { database } from "../../store/database.ts";
import {
  createPromptTemplate,
  deletePromptTemplate,
  findPromptTemplate,
  listPromptTemplates,
} from "../../store/prompt-templates.ts";
import { checkTemplate } from "../../turn/templates/render-template.ts";
import { audit } from "../http/audit.ts";
import { requireRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { readFromReplica } from "../http/context.ts";
import { createOnce, answerToSave } from "../http/idempotency.ts";
import { describe } from "../openapi/describe.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { body } from "../http/validate.ts";
import * as examples from "./examples.ts";
import * as schemas from "./schemas.ts";

/** `/v1/prompt_templates`: Jinja texts that prompts can be set in. */
export const promptTemplates = new Hono<AppEnv>({ strict: false })
  .get(
    "/",
    describe({
      id: "listPromptTemplates",
      headers: ["x-d1-bookmark"],
      tag: "Moonshot",
      summary: "List prompt templates, by name",
      answer: { status: 200, description: "All templates", schema: schemas.PromptTemplate.array() },
    }),
    requireRole("admin", "service"),
    async (c) => {
      const templates = await readFromReplica(c, listPromptTemplates);
      return c.json(templates.map(({ name, description, template }) => ({ name, description, template })));
    },
  )
  .post(
    "/",
    describe({
      id: "createPromptTemplate",
      headers: ["idempotency-key"],
      tag: "Moonshot",
      summary: "Create a prompt template",
      answer: { status: 200, description: "Template created", schema: schemas.Done },
      refusals: [409],
      example: examples.promptTemplate,
    }),
    body(schemas.CreatePromptTemplate),
    requireRole("admin", "service"),
    createOnce,
    async (c) => {
      const input = c.req.valid("json");
      const checked = checkTemplate(input.template);
      if (!checked.ok) return respondWithProblem(c, checked.failure);
      const answer = { success: true as const };
      const template = { ...input, createdAt: now() };
      if (!(await createPromptTemplate(database(c.env.DB), template, answerToSave(c, answer, 200)))) {
        return respondWithProblem(c, {
          reason: "already-exists",
          resource: "prompt template",
          field: "name",
          value: input.name,
        });
      }
      return c.json(answer);
    },
  )
  .delete(
    "/:name",
    describe({
      id: "deletePromptTemplate",
      tag: "Moonshot",
      summary: "Delete a prompt template that no active session uses",
      answer: { status: 200, description: "Template deleted", schema: schemas.Done },
      refusals: [404, 409],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const db = database(c.env.DB);
      const name = c.req.param("name");
      if (await deletePromptTemplate(db, name)) {
        audit(c, "prompt-template-deleted", { name });
        return c.json({ success: true as const });
      }
      const there = await findPromptTemplate(db, name);
      return respondWithProblem(
        c,
        there
          ? { reason: "in-use", resource: "prompt template", by: "an active session" }
          : { reason: "not-found", resource: "prompt template", id: name },
      );
    },
  );

/** `/v1/context_strategies`: what can be sent along with a prompt. */
export const contextStrategies = new Hono<AppEnv>({ strict: false }).get(
  "/",
  describe({
    id: "listContextStrategies",
    tag: "Moonshot",
    summary: "List context strategies",
    answer: { status: 200, description: "Their names", schema: schemas.ContextStrategies, example: CONTEXT_STRATEGIES },
  }),
  requireRole("admin", "service"),
  (c) => c.json([...CONTEXT_STRATEGIES]),
);
