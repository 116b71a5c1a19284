/**
 * Chatbots and clients in D1: one implementation for both, because both have a name, are listed and searched, and
 * remain readable for sessions after they are deleted. The rules for their fields belong to `routes/session-api`.
 * Effects: D1.
 */
import { and, count, desc, eq, getTableColumns, isNull, or, sql } from "drizzle-orm";
import type { Column, SQL } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import type { Client } from "../core/client.ts";
import { FOLD_VERSION, foldText } from "../core/fold.ts";
import type { Page, PageRequest } from "../core/page.ts";
import type { EpochMs } from "../core/time.ts";
import { retryOnce } from "../core/transient-error.ts";
import { deleteKeysOfDeletedClient } from "./api-keys.ts";
import type { Database } from "./database.ts";
import { deleteOnce } from "./delete-once.ts";
import { MAX_LIST_BYTES } from "./fit-list.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { insertOnce } from "./insert-once.ts";
import { forgetAfter, recordCache } from "./record-cache.ts";
import { bytesOf } from "./list-pages.ts";
import { chatbots, clients, sessions } from "./tables.ts";
import { isUsed, openSessionsOf, readUsers } from "./users.ts";

type NamedTable = typeof chatbots | typeof clients;

/** The differences between chatbots and clients. */
interface StoreOptions<T extends NamedTable, S extends ListQuery> {
  table: T;
  resource: "chatbot" | "client";
  /** The column of a session that refers to the record. */
  referenceColumn: typeof sessions.chatbotId | typeof sessions.clientId;
  /** The statement that reads records by a query for their ids. */
  select: (db: Database, ids: SQL) => S;
  /** What a search looks at, folded. */
  searched: (Column | SQL)[];
  /** Fields that deletion clears: all except the id and the name. */
  clearedOnDelete: Partial<T["$inferSelect"]>;
}

type ListQuery = ReturnType<typeof selectChatbots | typeof selectClients>;

type Entry<T extends NamedTable> = Omit<T["$inferSelect"], "nameFolded" | "foldVersion">;

type ListedEntry<T extends NamedTable> = Entry<T> & { isShortened?: boolean };

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

/** Whether one of the texts contains what is searched. `undefined` without a search. */
const matches = (texts: (Column | SQL)[], search: string | null): SQL | undefined =>
  search === null ? undefined : or(...texts.map((text) => sql`instr(${text}, ${foldText(search)})`));

function createStore<T extends NamedTable, S extends ListQuery>({ table, ...options }: StoreOptions<T, S>) {
  return {
    /**
     * @param moreStatements statements for the same transaction
     * @throws a unique violation
     */
    async create(db: Database, entry: Entry<T>, moreStatements: D1PreparedStatement[] = []): Promise<void> {
      const row = withFolded(entry) as T["$inferInsert"];
      const write = insertOnce<NamedTable>(db, table, row, table.id, moreStatements);
      await forgetAfter([options.resource, entry.id], write);
    },

    /** Reads one row. `null` if there is none or if it is deleted. */
    async find(db: Database, id: string): Promise<Entry<T> | null> {
      const isCurrent = and(eq(table.id, id), isNull(table.deletedAt));
      const row = await db.select().from(table).where(isCurrent).get();
      return row ? withoutFolded<T>(row) : null;
    },

    /** The statement that reads records by their ids, deleted ones included. */
    selectByIds: (db: Database, ids: (string | null)[]) =>
      options.select(db, sql`select value from json_each(${JSON.stringify(ids)})`),

    /** Newest first: ids sort by creation. One round trip. @param filter a further condition */
    async list(db: Database, search: string | null, page: PageRequest, filter?: SQL): Promise<Page<ListedEntry<T>>> {
      const found = and(isNull(table.deletedAt), matches(options.searched, search), filter);
      const ids = sql`select ${table.id} from ${table} where ${found} order by ${table.id} desc limit ${page.limit} offset ${page.skip}`;
      const selected = options.select(db, ids).orderBy(desc(table.id));
      const [rows, [totals]] = await db.batch([selected, db.select({ total: count() }).from(table).where(found)]);
      return { results: rows.map((row) => withoutFolded<T>(row)), total: totals?.total ?? 0 };
    },

    /** @throws a unique violation */
    async update(db: Database, entry: Entry<T>): Promise<void> {
      const row = asUpdate<T>(withFolded(entry));
      const write = db.update(table).set(row).where(eq(table.id, entry.id));
      const written = retryOnce(() => write.run());
      await forgetAfter([options.resource, entry.id], written);
    },

    /** The open sessions of a record, which keep it from being deleted. */
    users: (db: Database, id: string) => readUsers(db, openSessionsOf(options.referenceColumn, id)),

    /** The statements that delete a record, unless open sessions refer to it, and the answer that created it. */
    remove(db: Database, id: string, at: EpochMs) {
      const isInUse = isUsed(openSessionsOf(options.referenceColumn, id));
      const deleted = asUpdate<T>({ ...options.clearedOnDelete, deletedAt: at });
      const isFree = sql`${table.id} = ${id} and ${table.deletedAt} is null and not ${isInUse}`;
      const update = db.update(table).set(deleted).where(isFree);
      return [update, forgetResponse(db, `${options.resource}:${id}`)] as const;
    },
  };
}

/** Whether a record was deleted at a time: by an earlier attempt to delete it then. */
async function wasDeletedAt(db: Database, table: NamedTable, id: string, at: EpochMs): Promise<boolean> {
  const isDeletion = and(eq(table.id, id), eq(table.deletedAt, at));
  return (await db.select({ id: table.id }).from(table).where(isDeletion).get()) !== undefined;
}

/** The long texts are `null` and `isShortened` is true where they are certainly more than a list may have. */
function selectChatbots(db: Database, ids: SQL) {
  const { systemPrompt, greeting, params, ...columns } = getTableColumns(chatbots);
  const isListed = sql`${chatbots.id} in (${ids})`;
  const bytes = sql`coalesce(sum(${bytesOf([systemPrompt, greeting, params])}), 0)`;
  const ifFits = (column: Column) => sql<string | null>`iif(fits, ${column}, null)`;
  return db
    .select({
      ...columns,
      systemPrompt: ifFits(systemPrompt),
      greeting: ifFits(greeting),
      params: ifFits(params),
      isShortened: sql`not fits`.mapWith(Boolean),
    })
    .from(chatbots)
    .crossJoin(sql`(select ${bytes} <= ${MAX_LIST_BYTES} as fits from ${chatbots} where ${isListed})`)
    .where(isListed);
}

const selectClients = (db: Database, ids: SQL) =>
  db
    .select()
    .from(clients)
    .where(sql`${clients.id} in (${ids})`);

export const chatbotStore = createStore({
  table: chatbots,
  select: selectChatbots,
  resource: "chatbot",
  referenceColumn: sessions.chatbotId,
  searched: [chatbots.nameFolded],
  clearedOnDelete: {
    description: null,
    systemPrompt: null,
    greeting: null,
    context: null,
    params: null,
    takeoverTimeoutMinutes: null,
  },
});

export const clientStore = createStore({
  table: clients,
  select: selectClients,
  resource: "client",
  referenceColumn: sessions.clientId,
  // SQLite's lower case is that of ASCII, which is all that an email has.
  searched: [clients.nameFolded, sql`lower(${clients.email})`, sql`lower(${clients.externalId})`],
  clearedOnDelete: { email: null, externalId: null, metadata: null },
});

/** @returns whether the chatbot was deleted. It is not while open sessions refer to it. */
export async function deleteChatbot(db: Database, id: string, at: EpochMs): Promise<boolean> {
  const write = async () => (await db.batch(chatbotStore.remove(db, id, at)))[0].meta.changes > 0;
  const isGone = () => wasDeletedAt(db, chatbots, id, at);
  return forgetAfter(["chatbot", id], deleteOnce(write, isGone));
}

/** What the deletion of a client has revoked. `null` if its answer was lost, so that only its success is known. */
export interface RevokedTokens {
  revokedKeys: number | null;
  /** The ids of some keys with open streams. */
  subscribedKeyIds: string[] | null;
}

/**
 * Deletes a client and revokes its API keys, in one transaction.
 *
 * @returns `null` if the client was not deleted. It is not while open sessions refer to it.
 */
export async function deleteClient(db: Database, id: string, at: EpochMs): Promise<RevokedTokens | null> {
  const write = async (isSecond: boolean): Promise<RevokedTokens | null> => {
    const statements = [...clientStore.remove(db, id, at), ...deleteKeysOfDeletedClient(db, id)] as const;
    const [deleted, , subscribed, revoked] = await db.batch(statements);
    if (deleted.meta.changes > 0)
      return { revokedKeys: revoked.meta.changes, subscribedKeyIds: subscribed.map((key) => key.id) };
    const isDone = isSecond && (await wasDeletedAt(db, clients, id, at));
    return isDone ? { revokedKeys: null, subscribedKeyIds: null } : null;
  };
  return forgetAfter(["client", id], retryOnce(write));
}

export const hasExternalId = (externalId: string): SQL => eq(clients.externalId, externalId);

/** The client with an `externalId`. `null` if there is none. */
export async function findClientByExternalId(db: Database, externalId: string): Promise<Client | null> {
  const row = await db.select().from(clients).where(hasExternalId(externalId)).get();
  return row ? withoutFolded<typeof clients>(row) : null;
}

/**
 * Creates the client, or changes the one that has its `externalId`. One statement, so that of two calls at once one
 * creates and the other changes.
 *
 * @param changes what to change in an existing client
 */
export async function createOrUpdateClient(
  db: Database,
  client: Client & { externalId: string },
  changes: Partial<Client>,
): Promise<Client> {
  const { nameFolded, foldVersion } = withFolded(client);
  const write = db
    .insert(clients)
    .values(withFolded(client))
    .onConflictDoUpdate({ target: clients.externalId, set: { ...changes, nameFolded, foldVersion } })
    .returning();
  const row = await retryOnce(() => write.get());
  recordCache.forget(["client", row.id]);
  return withoutFolded<typeof clients>(row);
}

/** Changes the client with an `externalId`, but not its name. `null` if there is none. */
export async function updateClientByExternalId(
  db: Database,
  externalId: string,
  changes: Partial<Omit<Client, "name">>,
): Promise<Client | null> {
  const write = db.update(clients).set(changes).where(hasExternalId(externalId)).returning();
  const [row] = await retryOnce(() => write.all());
  if (row) recordCache.forget(["client", row.id]);
  return row ? withoutFolded<typeof clients>(row) : null;
}
