import { and, eq, gt, lt } from "drizzle-orm";
import type { Caller, Ticket } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "./database.ts";
import { tickets } from "./tables.ts";

/** One row written. */
export const saveTicket = async (db: Database, ticket: Ticket): Promise<void> => {
  await db.insert(tickets).values(ticket);
};

/**
 * Takes a ticket away, which only one can do.
 *
 * @returns whose it was, or `null` for none, an old one, or one for another session
 */
export async function consumeTicket(
  db: Database,
  hash: string,
  sessionId: string,
  at: EpochMs,
): Promise<Caller | null> {
  const isValid = and(eq(tickets.hash, hash), eq(tickets.sessionId, sessionId), gt(tickets.expiresAt, at));
  const [consumed] = await db.delete(tickets).where(isValid).returning({ caller: tickets.caller });
  return consumed?.caller ?? null;
}

/** Throws away what nobody used in time. */
export const deleteExpiredTickets = async (db: Database, at: EpochMs): Promise<void> => {
  await db.delete(tickets).where(lt(tickets.expiresAt, at));
};
