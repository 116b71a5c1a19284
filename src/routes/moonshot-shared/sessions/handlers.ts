/**
 * Changes and deletes comparison sessions, and answers as both of Moonshot's APIs do. Rules of a session do not belong
 * here: the session's object has them. Effects: RPC to the object, queries to D1, audit lines.
 */
import type { Context } from "hono";
import { asContextStrategy } from "../../../core/prompt-template.ts";
import type { SessionChanges } from "../../../core/session.ts";
import { readSession } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { findPromptTemplate, promptTemplateNotFound } from "../../../store/prompt-templates.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { contextStrategyNotFound } from "./new-session.ts";
import { sessionNotFound } from "./session-param.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export async function deleteSession(c: AppContext, id: string) {
  const removed = await auditIfLost(c, "session-deleted", { sessionId: id }, sessionStub(c.env, id).remove());
  if (!removed.ok) return respondWithProblem(c, sessionNotFound(id));
  audit(c, "session-deleted", { sessionId: id });
  return c.json(SUCCESS);
}

export async function cancelTurns(c: AppContext, id: string) {
  const cancelled = await measure(c, "session", sessionStub(c.env, id).cancel());
  return cancelled.ok ? c.json(SUCCESS) : respondWithProblem(c, sessionNotFound(id));
}

export async function setPromptTemplate(c: AppContext, id: string, name: string) {
  const db = database(c.env.DB);
  if (!(await findPromptTemplate(db, name)))
    return respondWithProblem(c, (await promptTemplateNotFound(db, name)).failure);
  return amendSession(c, id, { promptTemplate: name });
}

export async function unsetPromptTemplate(c: AppContext, id: string, name: string) {
  const found = await readSession(readerOf(c), id, "added");
  if (found && found.session.promptTemplate !== name)
    return respondWithProblem(c, { reason: "not-found", resource: "prompt template", id: name });
  return amendSession(c, id, { promptTemplate: null });
}

/** @param previousPrompts how many previous prompts it adds; `null` for as many as it does by itself */
export async function setContextStrategy(c: AppContext, id: string, name: string, previousPrompts: number | null) {
  const contextStrategy = asContextStrategy(name);
  if (!contextStrategy) return respondWithProblem(c, contextStrategyNotFound(name).failure);
  return amendSession(c, id, { contextStrategy, previousPrompts });
}

export async function unsetContextStrategy(c: AppContext, id: string, name: string) {
  const found = await readSession(readerOf(c), id, "added");
  if (found && found.session.contextStrategy !== name)
    return respondWithProblem(c, { reason: "not-found", resource: "context strategy", id: name });
  return amendSession(c, id, { contextStrategy: null, previousPrompts: null });
}

export async function amendSession(c: AppContext, id: string, changes: SessionChanges) {
  const amended = await measure(c, "session", sessionStub(c.env, id).amend({ changes, history: "added" }));
  if (amended.ok) return c.json(SUCCESS);
  return respondWithProblem(c, amended.failure.reason === "not-found" ? sessionNotFound(id) : amended.failure);
}
