/** Deletes a prompt template, and answers as both of Moonshot's APIs do. Effects: queries to D1, audit lines. */
import type { Context } from "hono";
import { database } from "../../../store/database.ts";
import * as store from "../../../store/prompt-templates.ts";
import { readUsers, usersOfPromptTemplate } from "../../../store/users.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

export async function deletePromptTemplate(c: Context<AppEnv>, name: string) {
  const db = database(c.env.DB);
  if (await auditIfLost(c, "prompt-template-deleted", { name }, store.deletePromptTemplate(db, name))) {
    audit(c, "prompt-template-deleted", { name });
    return c.json({ success: true });
  }
  if (!(await store.findPromptTemplate(db, name)))
    return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: name });
  const users = await readUsers(db, usersOfPromptTemplate(name));
  return respondWithProblem(c, { reason: "in-use", resource: "prompt template", users });
}
