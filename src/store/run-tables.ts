/** The D1 schema of runs: what is listed of them. Their items and answers are in their objects (`runs/`). Pure. */
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { RunStatus } from "../core/run.ts";

export const runs = sqliteTable(
  "runs",
  {
    /** Numbers runs by creation. */
    number: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    /** The id of its object: items come before the name, and the name decides about the id of the run. */
    objectId: text().notNull(),
    name: text().notNull(),
    status: text().$type<RunStatus>().notNull(),
    createdAt: integer().notNull(),
    endpoints: text({ mode: "json" }).$type<string[]>().notNull(),
    repeat: integer().notNull(),
    /** Answers in all, and as many as there were when the object last wrote the row. */
    answers: integer().notNull(),
    done: integer().notNull(),
    errors: integer().notNull(),
  },
  (table) => [uniqueIndex("runs_id").on(table.id), uniqueIndex("runs_object").on(table.objectId)],
);
