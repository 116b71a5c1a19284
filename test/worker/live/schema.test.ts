import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { SCHEMA_STEPS, createTables, isEmpty, migrate } from "../../../src/live/log/schema.ts";

const FIRST = ["CREATE TABLE notes (text TEXT)"];
const SECOND = ["ALTER TABLE notes ADD COLUMN author TEXT", "UPDATE notes SET author = 'unknown'"];

it("migrates older storage to the newest schema, with its rows, and applies nothing twice", async () => {
  await runInDurableObject(env.SESSIONS.getByName("65f3a1b2c4d5e6f708192aaa"), (_, { storage: { sql } }) => {
    expect(isEmpty(sql)).toBe(true);
    migrate(sql, [FIRST]);
    expect(isEmpty(sql)).toBe(false);
    sql.exec("INSERT INTO notes (text) VALUES ('kept')");
    migrate(sql, [FIRST, SECOND]);
    migrate(sql, [FIRST, SECOND]);
    // Older code does no harm to storage of newer code.
    migrate(sql, [FIRST]);
    expect(sql.exec("SELECT text, author FROM notes").toArray()).toEqual([{ text: "kept", author: "unknown" }]);
  });
});

it("gives a new storage the tables that older storage has after all steps", async () => {
  const columnsAfter = (id: string, make: (sql: SqlStorage) => void) =>
    runInDurableObject(env.SESSIONS.getByName(id), (_, { storage: { sql } }) => {
      make(sql);
      return sql
        .exec(
          `SELECT t.name AS "table", c.name, c.type, c."notnull", c.pk FROM sqlite_schema t, pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY t.name, c.cid`,
        )
        .toArray();
    });
  const created = await columnsAfter("65f3a1b2c4d5e6f708192aab", createTables);
  const migrated = await columnsAfter("65f3a1b2c4d5e6f708192aac", (sql) => migrate(sql, SCHEMA_STEPS));
  expect(created.length).toBeGreaterThan(20);
  expect(created).toEqual(migrated);
});
