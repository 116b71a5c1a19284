/**
 * The handlers of `/v1/prompt_templates`: each gets input that has been validated and answers as Moonshot does. How a
 * template is rendered does not belong here: that is `turn/templates`. Effects: queries to D1, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { PromptTemplate } from "../../../core/prompt-template.ts";
import { now } from "../../../core/time.ts";
import { database } from "../../../store/database.ts";
import * as store from "../../../store/prompt-templates.ts";
import { checkTemplate } from "../../../turn/templates/render-template.ts";
import type { AppEnv } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import type * as responses from "./response-schemas.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export const listPromptTemplates = (c: AppContext) => respondWithList(c, store.promptTemplatePages, presentTemplate);

const presentTemplate = ({
  name,
  description,
  template,
}: PromptTemplate): z.output<typeof responses.PromptTemplate> => ({
  name,
  description,
  template,
});

export async function createPromptTemplate(c: AppContext, input: z.output<typeof schemas.CreatePromptTemplate>) {
  const checked = checkTemplate(input.template);
  if (!checked.ok) return respondWithProblem(c, checked.failure);
  const template = { ...input, createdAt: now() };
  const saveAnswer = saveResponseStatements(c, `prompt-template:${input.name}`, SUCCESS, 200);
  const isCreated = await store.createPromptTemplate(database(c.env.DB), template, saveAnswer);
  if (isCreated) return c.json(SUCCESS);
  return respondWithProblem(c, {
    reason: "already-exists",
    resource: "prompt template",
    field: "name",
    value: input.name,
  });
}
