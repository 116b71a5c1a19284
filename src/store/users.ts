/**
 * What uses a record in D1, so that it cannot be deleted: the conditions for the statements that delete, and the ids for
 * the answer. Effects: D1.
 */
import { and, eq, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Users } from "../core/failure.ts";
import type { Database } from "./database.ts";
import { chatbots, sessions, summaryEndpointIdOf } from "./tables.ts";

/** How many users to count. */
const MAX_USERS = 1_000;

interface UserQuery {
  kind: Users["kind"];
  table: typeof chatbots | typeof sessions;
  condition: SQL | undefined;
}

export const usersOfEndpoint = (endpointId: string): UserQuery => ({
  kind: "chatbot",
  table: chatbots,
  condition: and(
    or(
      eq(chatbots.endpointId, endpointId),
      and(isNotNull(chatbots.context), eq(summaryEndpointIdOf(chatbots.context), endpointId)),
    ),
    isNull(chatbots.deletedAt),
  ),
});

export const usersOfPromptTemplate = (name: string): UserQuery => ({
  kind: "active-session",
  table: sessions,
  condition: and(eq(sessions.promptTemplate, name), eq(sessions.kind, "comparison"), eq(sessions.status, "ACTIVE")),
});

/** @param reference the column of a session that refers to the record */
export const openSessionsOf = (
  reference: typeof sessions.chatbotId | typeof sessions.clientId,
  id: string,
): UserQuery => ({
  kind: "open-session",
  table: sessions,
  condition: and(eq(reference, id), inArray(sessions.status, ["ACTIVE", "SCHEDULED"])),
});

/** Whether something uses a record, for the statement that deletes it. */
export const isUsed = ({ table, condition }: UserQuery): SQL => sql`exists (select 1 from ${table} where ${condition})`;

/** The ids of what uses a record, the first 1,000. */
export async function readUsers(db: Database, { kind, table, condition }: UserQuery): Promise<Users> {
  const found = await db
    .select({ id: table.id })
    .from(table)
    .where(condition)
    .limit(MAX_USERS + 1);
  return { kind, ids: found.slice(0, MAX_USERS).map(({ id }) => id), hasMore: found.length > MAX_USERS };
}
