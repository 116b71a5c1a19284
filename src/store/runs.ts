/**
 * Runs in D1: what is listed of them, and the sessions of their conversations. After creation only the run's object
 * (`runs/`) writes them. Effects: D1.
 */
import { desc, eq, sql } from "drizzle-orm";
import type { Message } from "../core/message.ts";
import type { PageRequest } from "../core/page.ts";
import type { RunProgress, RunStatus, RunSummary } from "../core/run.ts";
import type { Session } from "../core/session.ts";
import { retryOnce } from "../core/transient-error.ts";
import { toStatement } from "./database.ts";
import type { Database } from "./database.ts";
import { forgetResponse } from "./idempotency-keys.ts";
import { insertOnce } from "./insert-once.ts";
import { insertFirstMessages } from "./message-rows.ts";
import { runs } from "./run-tables.ts";
import { toRow } from "./sessions.ts";
import { sessions } from "./tables.ts";

export interface StoredRun extends RunSummary {
  objectId: string;
}

type RunRow = typeof runs.$inferSelect;

const fromRow = ({ number: _number, answers, done, errors, ...row }: RunRow): StoredRun => ({
  ...row,
  progress: { done, of: answers, errors },
});

/**
 * @param moreStatements statements for the same transaction
 * @returns whether the run was created. It is not if its id exists.
 */
export const createRun = (
  db: Database,
  { progress, ...run }: StoredRun,
  moreStatements: D1PreparedStatement[] = [],
): Promise<boolean> => {
  const { done, errors, of: answers } = progress;
  return insertOnce(db, runs, { ...run, done, errors, answers }, runs.id, moreStatements);
};

/** Reads one row. */
export async function findRun(db: Database, id: string): Promise<StoredRun | null> {
  const row = await db.select().from(runs).where(eq(runs.id, id)).get();
  return row ? fromRow(row) : null;
}

/** The run of an object. */
export async function findRunOfObject(db: Database, objectId: string): Promise<StoredRun | null> {
  const row = await db.select().from(runs).where(eq(runs.objectId, objectId)).get();
  return row ? fromRow(row) : null;
}

/** Runs, newest first. */
export async function listRuns(db: Database, { limit, skip }: PageRequest): Promise<StoredRun[]> {
  const rows = await db.select().from(runs).orderBy(desc(runs.number)).limit(limit).offset(skip);
  return rows.map(fromRow);
}

export async function updateRun(
  db: Database,
  objectId: string,
  { status, done, errors }: Pick<RunProgress, "done" | "errors"> & { status: RunStatus },
): Promise<void> {
  await retryOnce(() => db.update(runs).set({ status, done, errors }).where(eq(runs.objectId, objectId)));
}

export async function deleteRun(db: Database, id: string): Promise<void> {
  await retryOnce(() => db.batch([db.delete(runs).where(eq(runs.id, id)), forgetResponse(db, `run:${id}`)]));
}

/**
 * Creates the session of a conversation, once, with the messages that its log begins with. One round trip.
 *
 * @returns whether the session is the run's. It is not if another one has its id.
 */
export async function createRunSession(
  db: Database,
  session: Session,
  messages: Message[],
  runId: string,
): Promise<boolean> {
  const insert = db
    .insert(sessions)
    .values({ ...toRow(session), runId })
    .onConflictDoUpdate({ target: sessions.id, set: { id: session.id }, setWhere: sql`${sessions.runId} = ${runId}` });
  const insertFirst = insertFirstMessages(db, session.id, messages, session.createdAt, "if-created");
  const [created] = await retryOnce(() => db.$client.batch([toStatement(db, insert), ...insertFirst]));
  return (created?.meta.changes ?? 0) > 0;
}

/** The ids of sessions of a run, some of them. */
export async function someSessionsOfRun(db: Database, runId: string, limit: number): Promise<string[]> {
  const isOfRun = sql`run_id is not null and ${sessions.runId} = ${runId}`;
  const rows = await db.select({ id: sessions.id }).from(sessions).where(isOfRun).limit(limit);
  return rows.map(({ id }) => id);
}
