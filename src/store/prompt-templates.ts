/**
 * Prompt templates in D1. Checking and rendering them is in `turn/templates`. Effects: D1.
 */
import { asc, eq, sql } from "drizzle-orm";
import type { PromptTemplate } from "../core/prompt-template.ts";
import type { Database } from "./database.ts";
import { insertOnce } from "./insert-once.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { forgetAfter } from "./record-cache.ts";
import { promptTemplates, sessions } from "./tables.ts";

/**
 * @param moreStatements statements for the same transaction
 * @returns whether the template was created. It is not if its name exists.
 */
export const createPromptTemplate = (
  db: Database,
  template: PromptTemplate,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> =>
  forgetAfter(
    ["prompt-template", template.name],
    insertOnce(db, promptTemplates, template, promptTemplates.name, moreStatements),
  );

export const listPromptTemplates = (db: Database): Promise<PromptTemplate[]> =>
  db.select().from(promptTemplates).orderBy(asc(promptTemplates.name));

export async function findPromptTemplate(db: Database, name: string): Promise<PromptTemplate | null> {
  return (await db.select().from(promptTemplates).where(eq(promptTemplates.name, name)).get()) ?? null;
}

/** @returns whether the template was deleted. It is not while an active session uses it. */
export async function deletePromptTemplate(db: Database, name: string): Promise<boolean> {
  const isUnused = sql`not exists (select 1 from ${sessions} where ${sessions.kind} = 'comparison' and ${sessions.status} = 'ACTIVE' and ${sessions.promptTemplate} = ${name})`;
  const remove = db.delete(promptTemplates).where(sql`${promptTemplates.name} = ${name} and ${isUnused}`);
  const write = db.batch([remove, forgetResponse(db, `prompt-template:${name}`)]);
  const [{ meta }] = await forgetAfter(["prompt-template", name], write);
  return meta.changes > 0;
}
