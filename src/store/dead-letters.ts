import { desc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { deadLetters } from "./tables.ts";

export type DeadLetter = typeof deadLetters.$inferSelect;

/** Makes it known that a message could not be carried. Fails when nothing can be written at all. */
export async function addDeadLetter(db: Database, deadLetter: DeadLetter): Promise<void> {
  await db.insert(deadLetters).values(deadLetter).onConflictDoNothing();
}

/** The newest of them. */
export const listDeadLetters = (db: Database, limit: number): Promise<DeadLetter[]> =>
  db.select().from(deadLetters).orderBy(desc(deadLetters.at)).limit(limit);

/** The statement that forgets a session's. */
export const removeDeadLetters = (db: Database, sessionId: string) =>
  db.delete(deadLetters).where(eq(deadLetters.sessionId, sessionId));
