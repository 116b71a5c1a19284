import { desc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { parkedMessages } from "./tables.ts";

export type DeadLetter = typeof parkedMessages.$inferSelect;

/** Makes it known that a message could not be carried. Fails when nothing can be written at all. */
export async function addDeadLetter(db: Database, parked: DeadLetter): Promise<void> {
  await db.insert(parkedMessages).values(parked).onConflictDoNothing();
}

/** The newest of them. */
export const listDeadLetters = (db: Database, limit: number): Promise<DeadLetter[]> =>
  db.select().from(parkedMessages).orderBy(desc(parkedMessages.at)).limit(limit);

/** The statement that forgets a session's. */
export const removeDeadLetters = (db: Database, sessionId: string) =>
  db.delete(parkedMessages).where(eq(parkedMessages.sessionId, sessionId));
