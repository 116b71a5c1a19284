import { and, count, desc, eq, isNull, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Page, PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { chatbots, clients, sessions } from "./tables.ts";

type NamedTable = typeof chatbots | typeof clients;

/** What chatbots and clients have in common: they are named, listed and searched, and stay known to sessions once deleted. */
interface StoreOptions<T extends NamedTable> {
  table: T;
  /** The column of a session that refers to one. */
  referenceColumn: typeof sessions.chatbotId | typeof sessions.clientId;
  /** What goes when one is deleted: all but the id and the name. */
  clearedOnDelete: Partial<T["$inferSelect"]>;
}

type Entry<T extends NamedTable> = Omit<T["$inferSelect"], "nameFolded" | "foldVersion">;

const withFolded = <E extends { name: string }>(entry: E) => ({
  ...entry,
  nameFolded: foldText(entry.name),
  foldVersion: FOLD_VERSION,
});

// Drizzle cannot follow its own types through a table that is one of two, hence the casts of rows and values.
function withoutFolded<T extends NamedTable>(row: object): Entry<T> {
  const { nameFolded: _nameFolded, foldVersion: _foldVersion, ...entry } = row as T["$inferSelect"];
  return entry;
}

const values = <T extends NamedTable>(entry: object) => entry as SQLiteUpdateSetSource<T>;

function createStore<T extends NamedTable>({ table, referenceColumn, clearedOnDelete }: StoreOptions<T>) {
  const matches = (search: string | null) =>
    and(isNull(table.deletedAt), search === null ? undefined : sql`instr(${table.nameFolded}, ${foldText(search)})`);
  return {
    /** Throws a unique violation for what must be unique. @param moreStatements what is written in the same transaction */
    async create(db: Database, entry: Entry<T>, moreStatements: D1PreparedStatement[] = []): Promise<void> {
      const insert = db.insert(table).values(withFolded(entry) as T["$inferInsert"]);
      await db.$client.batch([toStatement(db, insert), ...moreStatements]);
    },

    /** One row read; `null` for one that is not there or no more. */
    async find(db: Database, id: string): Promise<Entry<T> | null> {
      const exists = and(eq(table.id, id), isNull(table.deletedAt));
      const row = await db.select().from(table).where(exists).get();
      return row ? withoutFolded<T>(row) : null;
    },

    /** The statement that reads those of some ids, deleted ones too. */
    among: (db: Database, ids: (string | null)[]) =>
      db
        .select()
        .from(table)
        .where(sql`${table.id} in (select value from json_each(${JSON.stringify(ids)}))`),

    /** Newest first: ids sort in order of creation. One round trip. */
    async list(db: Database, search: string | null, { limit, skip }: PageRequest): Promise<Page<Entry<T>>> {
      const page = db.select().from(table).where(matches(search)).orderBy(desc(table.id)).limit(limit).offset(skip);
      const [rows, [totals]] = await db.batch([page, db.select({ total: count() }).from(table).where(matches(search))]);
      return { results: rows.map((row) => withoutFolded<T>(row)), total: totals?.total ?? 0 };
    },

    /** Throws a unique violation for what must be unique. */
    async update(db: Database, entry: Entry<T>): Promise<void> {
      await db
        .update(table)
        .set(values<T>(withFolded(entry)))
        .where(eq(table.id, entry.id));
    },

    /** @returns whether it is gone: not while open sessions refer to it */
    async remove(db: Database, id: string, at: EpochMs): Promise<boolean> {
      const open = sql`exists (select 1 from ${sessions} where ${referenceColumn} = ${id} and ${sessions.status} in ('ACTIVE', 'SCHEDULED'))`;
      const { meta } = await db
        .update(table)
        .set(values<T>({ ...clearedOnDelete, deletedAt: at }))
        .where(sql`${table.id} = ${id} and ${table.deletedAt} is null and not ${open}`);
      return meta.changes > 0;
    },
  };
}

export const chatbotStore = createStore({
  table: chatbots,
  referenceColumn: sessions.chatbotId,
  clearedOnDelete: { description: null, systemPrompt: null, greeting: null, params: null },
});

export const clientStore = createStore({
  table: clients,
  referenceColumn: sessions.clientId,
  clearedOnDelete: { email: null, externalId: null, metadata: null },
});
