import { desc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { deadLetters } from "./tables.ts";

export type DeadLetter = typeof deadLetters.$inferSelect;

/** Records that a message could not be written to D1. Fails if D1 accepts no writes at all. */
export async function addDeadLetter(db: Database, deadLetter: DeadLetter): Promise<void> {
  await db.insert(deadLetters).values(deadLetter).onConflictDoNothing();
}

/** The newest dead letters. */
export const listDeadLetters = (db: Database, limit: number): Promise<DeadLetter[]> =>
  db.select().from(deadLetters).orderBy(desc(deadLetters.at)).limit(limit);

/** The statement that deletes a session's dead letters. */
export const removeDeadLetters = (db: Database, sessionId: string) =>
  db.delete(deadLetters).where(eq(deadLetters.sessionId, sessionId));
