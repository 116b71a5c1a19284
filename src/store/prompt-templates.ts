import { asc, eq, sql } from "drizzle-orm";
import type { PromptTemplate } from "../core/prompt-template.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { promptTemplates, sessions } from "./tables.ts";

/** @param moreStatements what is written in the same transaction. @returns whether it was created: not when its name is taken */
export async function createPromptTemplate(
  db: Database,
  template: PromptTemplate,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> {
  const insert = db.insert(promptTemplates).values(template).onConflictDoNothing();
  const [created] = await db.$client.batch([toStatement(db, insert), ...moreStatements]);
  return (created?.meta.changes ?? 0) > 0;
}

export const listPromptTemplates = (db: Database): Promise<PromptTemplate[]> =>
  db.select().from(promptTemplates).orderBy(asc(promptTemplates.name));

export async function findPromptTemplate(db: Database, name: string): Promise<PromptTemplate | null> {
  return (await db.select().from(promptTemplates).where(eq(promptTemplates.name, name)).get()) ?? null;
}

/** @returns whether it is gone: not while it is in force on an active session */
export async function deletePromptTemplate(db: Database, name: string): Promise<boolean> {
  const isUnused = sql`not exists (select 1 from ${sessions} where ${sessions.kind} = 'comparison' and ${sessions.status} = 'ACTIVE' and ${sessions.promptTemplate} = ${name})`;
  const { meta } = await db.delete(promptTemplates).where(sql`${promptTemplates.name} = ${name} and ${isUnused}`);
  return meta.changes > 0;
}
