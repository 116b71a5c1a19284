/**
 * Tickets in D1, which open one socket each. How a ticket is made is in `auth/tickets.ts`. Effects: D1.
 */
import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { Ticket } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { insertOnce } from "./insert-once.ts";
import { tickets } from "./access-tables.ts";
import { clients } from "./tables.ts";

/** Writes one row. */
export const saveTicket = async (db: Database, ticket: Ticket): Promise<void> => {
  await insertOnce(db, tickets, ticket, tickets.hash);
};

/** Whether a ticket's caller still exists: it has no client, or one that was not deleted. */
const clientId = sql`json_extract(${tickets.caller}, '$.clientId')`;
const hasCaller = sql`(${clientId} is null
  or exists (select 1 from ${clients} where ${clients.id} = ${clientId} and ${clients.deletedAt} is null))`;

/**
 * Uses up a ticket. Of two concurrent calls only one succeeds.
 *
 * @returns `null` if the ticket is unknown, expired, for another session, or of a deleted client
 */
export async function consumeTicket(
  db: Database,
  hash: string,
  sessionId: string,
  at: EpochMs,
): Promise<Ticket | null> {
  const isValid = and(eq(tickets.hash, hash), eq(tickets.sessionId, sessionId), gt(tickets.expiresAt, at), hasCaller);
  const [consumed] = await db.delete(tickets).where(isValid).returning();
  return consumed ?? null;
}

/** Deletes tickets that were not used in time. */
export const deleteExpiredTickets = async (db: Database, at: EpochMs): Promise<void> => {
  await db.delete(tickets).where(lt(tickets.expiresAt, at));
};
