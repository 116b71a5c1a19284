/**
 * Chatbots and clients in D1: one implementation for both, because both have a name, are listed and searched, and
 * remain readable for sessions after they are deleted. The rules for their fields belong to `routes/session-api`.
 * Effects: D1.
 */
import { and, count, desc, eq, isNull, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Page, PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { chatbots, clients, sessions } from "./tables.ts";

type NamedTable = typeof chatbots | typeof clients;

/** The differences between chatbots and clients. */
interface StoreOptions<T extends NamedTable> {
  table: T;
  resource: "chatbot" | "client";
  /** The column of a session that refers to the record. */
  referenceColumn: typeof sessions.chatbotId | typeof sessions.clientId;
  /** Fields that deletion clears: all except the id and the name. */
  clearedOnDelete: Partial<T["$inferSelect"]>;
}

type Entry<T extends NamedTable> = Omit<T["$inferSelect"], "nameFolded" | "foldVersion">;

const withFolded = <E extends { name: string }>(entry: E) => ({
  ...entry,
  nameFolded: foldText(entry.name),
  foldVersion: FOLD_VERSION,
});

// Drizzle does not infer types through a table that is one of two, so rows and values are cast.
function withoutFolded<T extends NamedTable>(row: object): Entry<T> {
  const { nameFolded: _nameFolded, foldVersion: _foldVersion, ...entry } = row as T["$inferSelect"];
  return entry;
}

const asUpdate = <T extends NamedTable>(entry: object) => entry as SQLiteUpdateSetSource<T>;

function createStore<T extends NamedTable>({ table, resource, referenceColumn, clearedOnDelete }: StoreOptions<T>) {
  const matches = (search: string | null) =>
    and(isNull(table.deletedAt), search === null ? undefined : sql`instr(${table.nameFolded}, ${foldText(search)})`);
  return {
    /**
     * @param moreStatements statements for the same transaction
     * @throws a unique violation
     */
    async create(db: Database, entry: Entry<T>, moreStatements: D1PreparedStatement[] = []): Promise<void> {
      const insert = db.insert(table).values(withFolded(entry) as T["$inferInsert"]);
      await db.$client.batch([toStatement(db, insert), ...moreStatements]);
    },

    /** Reads one row. `null` if there is none or if it is deleted. */
    async find(db: Database, id: string): Promise<Entry<T> | null> {
      const isCurrent = and(eq(table.id, id), isNull(table.deletedAt));
      const row = await db.select().from(table).where(isCurrent).get();
      return row ? withoutFolded<T>(row) : null;
    },

    /** The statement that reads records by their ids, deleted ones included. */
    selectByIds: (db: Database, ids: (string | null)[]) =>
      db
        .select()
        .from(table)
        .where(sql`${table.id} in (select value from json_each(${JSON.stringify(ids)}))`),

    /** Newest first: ids sort by creation. One round trip. */
    async list(db: Database, search: string | null, { limit, skip }: PageRequest): Promise<Page<Entry<T>>> {
      const page = db.select().from(table).where(matches(search)).orderBy(desc(table.id)).limit(limit).offset(skip);
      const [rows, [totals]] = await db.batch([page, db.select({ total: count() }).from(table).where(matches(search))]);
      return { results: rows.map((row) => withoutFolded<T>(row)), total: totals?.total ?? 0 };
    },

    /** @throws a unique violation */
    async update(db: Database, entry: Entry<T>): Promise<void> {
      await db
        .update(table)
        .set(asUpdate<T>(withFolded(entry)))
        .where(eq(table.id, entry.id));
    },

    /** @returns whether the record was deleted. It is not while open sessions refer to it. */
    async remove(db: Database, id: string, at: EpochMs): Promise<boolean> {
      const hasOpenSessions = sql`exists (select 1 from ${sessions} where ${referenceColumn} = ${id} and ${sessions.status} in ('ACTIVE', 'SCHEDULED'))`;
      const update = db
        .update(table)
        .set(asUpdate<T>({ ...clearedOnDelete, deletedAt: at }))
        .where(sql`${table.id} = ${id} and ${table.deletedAt} is null and not ${hasOpenSessions}`);
      const [{ meta }] = await db.batch([update, forgetResponse(db, `${resource}:${id}`)]);
      return meta.changes > 0;
    },
  };
}

export const chatbotStore = createStore({
  table: chatbots,
  resource: "chatbot",
  referenceColumn: sessions.chatbotId,
  clearedOnDelete: { description: null, systemPrompt: null, greeting: null, params: null },
});

export const clientStore = createStore({
  table: clients,
  resource: "client",
  referenceColumn: sessions.clientId,
  clearedOnDelete: { email: null, externalId: null, metadata: null },
});
