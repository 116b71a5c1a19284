/** What migrations do with the rows that are there. */
import { readFileSync, readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";

const folder = new URL("../../../migrations/", import.meta.url).pathname;
const files = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .toSorted();

function migrate(database: DatabaseSync, some: string[]): void {
  for (const file of some) database.exec(readFileSync(folder + file, "utf8"));
}

describe("migrations", () => {
  it("number the turns of the logs that there are, in the order of their prompts", () => {
    const database = new DatabaseSync(":memory:");
    const before = files.filter((file) => file < "0011");
    migrate(database, before);
    const insert = database.prepare(
      "INSERT INTO messages (session_id, seq, chat_id, turn_id, role, content, created_at, appended_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
    );
    const log = [
      ["a", 1, null, "assistant"],
      ["a", 2, "z", "user"],
      ["a", 3, "z", "assistant"],
      ["a", 4, null, "user"],
      ["a", 5, "b", "user"],
      ["other", 1, "z", "user"],
    ] as const;
    for (const [session, seq, turn, role] of log) insert.run(session, seq, "chat", turn, role, "text", 100 + seq);
    migrate(database, files.slice(before.length));
    const rows = database.prepare("SELECT session_id, turn_id, number, started_at FROM turns ORDER BY 1, 3").all();
    expect(rows.map((row) => Object.values(row))).toEqual([
      ["a", "z", 1, 102],
      ["a", "b", 2, 105],
      ["other", "z", 1, 101],
    ]);
  });
});
