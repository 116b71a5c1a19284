/**
 * Prompt templates in D1. Checking and rendering them is in `turn/templates`. Effects: D1.
 */
import { eq, sql } from "drizzle-orm";
import { notFound } from "../core/failure.ts";
import type { Failed } from "../core/failure.ts";
import type { PromptTemplate } from "../core/prompt-template.ts";
import { nearestName } from "../core/unknown-fields.ts";
import type { Database } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { insertOnce } from "./insert-once.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { readPages } from "./list-pages.ts";
import type { ListPages } from "./list-pages.ts";
import { forgetAfter } from "./record-cache.ts";
import { promptTemplates } from "./tables.ts";
import { isUsed, usersOfPromptTemplate } from "./users.ts";

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

/** All templates by name, page by page. */
export const promptTemplatePages = (db: Database): ListPages<PromptTemplate> =>
  readPages(db, {
    table: promptTemplates,
    key: promptTemplates.name,
    longColumns: [promptTemplates.template, promptTemplates.description],
  });

export async function findPromptTemplate(db: Database, name: string): Promise<PromptTemplate | null> {
  return (await db.select().from(promptTemplates).where(eq(promptTemplates.name, name)).get()) ?? null;
}

/** How many names to compare with one that does not exist. */
const MAX_COMPARED_NAMES = 1_000;

/** The failure of an unknown template. It suggests the one that was probably meant. */
export async function promptTemplateNotFound(db: Database, name: string): Promise<Failed> {
  const found = await db.select({ name: promptTemplates.name }).from(promptTemplates).limit(MAX_COMPARED_NAMES);
  const known = found.map((template) => template.name);
  return notFound("prompt template", name, nearestName(name, known));
}

/** @returns whether the template was deleted. It is not while an active session uses it. */
export async function deletePromptTemplate(db: Database, name: string): Promise<boolean> {
  const remove = db
    .delete(promptTemplates)
    .where(sql`${promptTemplates.name} = ${name} and not ${isUsed(usersOfPromptTemplate(name))}`);
  const forget = forgetResponse(db, `prompt-template:${name}`);
  const write = async () => (await db.batch([remove, forget]))[0].meta.changes > 0;
  const isGone = async () => (await findPromptTemplate(db, name)) === null;
  return forgetAfter(["prompt-template", name], deleteOnce(write, isGone));
}
