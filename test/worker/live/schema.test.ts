import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { isEmpty, migrate } from "../../../src/live/log/schema.ts";

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
