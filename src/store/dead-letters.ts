import { desc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { parkedMessages } from "./tables.ts";

export type ParkedMessage = typeof parkedMessages.$inferSelect;

/** Makes it known that a message could not be carried. Fails when nothing can be written at all. */
export async function parkMessage(db: Database, parked: ParkedMessage): Promise<void> {
  await db.insert(parkedMessages).values(parked).onConflictDoNothing();
}

/** The newest of them. */
export const listParkedMessages = (db: Database, limit: number): Promise<ParkedMessage[]> =>
  db.select().from(parkedMessages).orderBy(desc(parkedMessages.at)).limit(limit);

/** The statement that forgets a session's. */
export const forgetParked = (db: Database, sessionId: string) =>
  db.delete(parkedMessages).where(eq(parkedMessages.sessionId, sessionId));
