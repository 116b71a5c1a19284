/** `npm run backup` and `npm run restore`, with real databases of thousands of messages. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldText } from "../../../src/core/fold.ts";
import { readBackup } from "../../../src/dev/backup/read-backup.ts";
import { writeBackup } from "../../../src/dev/backup/write-backup.ts";
import { openLocalDatabase } from "../../../src/dev/database.ts";
import type { OpenDatabase } from "../../../src/dev/database.ts";
import { fillDatabase } from "../../../src/dev/fill-database.ts";
import { database, toStatement } from "../../../src/store/database.ts";
import * as tables from "../../../src/store/tables.ts";

const root = new URL("../../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "parley-"));
const [original, copy, files] = [join(folder, "original"), join(folder, "copy"), join(folder, "files")];

const SESSIONS = 60;
const MESSAGES_PER_SESSION = 100;

/** Texts in which copying could go wrong: quotes, line breaks, other scripts, many bytes. */
const TEXTS = ["plain", `it's "quoted"\r\n and ends\n`, "日本語 🙂 \u2028 \u0000", "漢".repeat(100_000)];

const textOf = (session: number, seq: number): string => {
  const index = (session * 7 + seq) % 400;
  return `${TEXTS[index] ?? "a usual message"}${session}-${seq}`;
};

const program = (command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-warnings", join(root, "src/dev/backup.ts"), command, ...args],
    { encoding: "utf8" },
  );
  return { status, output: stdout + stderr };
};

async function withDatabase<T>(state: string, use: (open: OpenDatabase["db"]) => Promise<T>): Promise<T> {
  const { db, close } = await openLocalDatabase(state);
  try {
    return await use(db);
  } finally {
    await close();
  }
}

async function writeSession(binding: D1Database, index: number): Promise<void> {
  const db = database(binding);
  const id = index.toString(16).padStart(24, "0");
  const title = `Session ${index} «größer»`;
  const session = {
    id,
    kind: "chatbot" as const,
    title,
    titleFolded: foldText(title),
    status: index % 3 === 0 ? ("COMPLETED" as const) : ("ACTIVE" as const),
    startTime: index,
    chatbotId: "c".repeat(24),
    clientId: "d".repeat(24),
    chats: [],
    metadata: '{"a":[1,null,"x"]}',
    createdAt: index,
    updatedAt: index,
    lastSeq: 0,
    metadataVersion: 1,
    messageCount: 0,
  };
  const messages = Array.from({ length: MESSAGES_PER_SESSION }, (_, seq) => ({
    // Sessions are numbered by creation.
    key: index * 2 ** 20 + seq + 1,
    role: "user" as const,
    content: textOf(index, seq + 1),
    createdAt: seq,
    appendedAt: seq,
  }));
  const inserts = messages.map((message) => toStatement(db, db.insert(tables.messages).values(message)));
  await binding.batch([toStatement(db, db.insert(tables.sessions).values(session)), ...inserts]);
}

/** Keys whose ids descend, and turns of one session: more than a page of each, which only their whole primary keys order. */
const KEYS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
  INSERT INTO keys (id, name, role, hash, created_at) SELECT printf('%024x', 1000 - i), 'k', 'service', 'hash ' || i, 1 FROM n`;
const TURNS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
  INSERT INTO turns (session_id, turn_id, number, started_at) SELECT printf('%024x', 1), 'turn ' || (1000 - i), i, 1 FROM n`;

/** Feedback on one message in six, and what was counted of a session that is deleted by now. */
const FEEDBACK = `INSERT INTO message_feedback (session_id, seq, chatbot_id, client_id, rating, updated_at, tags, rated, content)
  SELECT id, 1, chatbot_id, client_id, -1, number, '["wrong"]', '{}', 'a' FROM sessions WHERE number % 6 = 0`;
const COUNTED =
  "UPDATE daily_statistics SET sessions = sessions + 1, rated_up = 3, takeovers = 2, errors = '{\"provider_error\":1}'";

const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

/** All that a database holds, table by table, the full-text index by what it finds. */
async function contentOf(state: string): Promise<Record<string, unknown[]>> {
  return withDatabase(state, async (db) => {
    const { results } = await db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .all<{ name: string }>();
    const content: Record<string, unknown[]> = {};
    for (const { name } of results.filter((table) => !/^(sqlite_|session_titles|d1_migrations)/.test(table.name)))
      content[name] = (await db.prepare(`SELECT * FROM "${name}"`).all()).results.toSorted(byText);
    const search = db.prepare("SELECT rowid FROM session_titles WHERE session_titles MATCH ? ORDER BY rowid");
    content["found"] = (await search.bind(`"${foldText("größ")}"`).all()).results;
    return content;
  });
}

beforeAll(async () => {
  await fillDatabase(original);
  await withDatabase(original, async (db) => {
    for (let index = 1; index <= SESSIONS; index += 1) await writeSession(db, index);
    await db.batch([KEYS, TURNS, FEEDBACK, COUNTED].map((sql) => db.prepare(sql)));
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("a backup", () => {
  it("brings every table back as it was, into an empty database", async () => {
    expect(program("backup", "--persist-to", original, "--folder", files)).toEqual({
      status: 0,
      output: expect.stringContaining(`messages: ${SESSIONS * MESSAGES_PER_SESSION} rows`),
    });
    expect(program("restore", "--persist-to", copy, "--folder", files).status).toBe(0);
    const [expected, restored] = [await contentOf(original), await contentOf(copy)];
    expect(expected["messages"]).toHaveLength(SESSIONS * MESSAGES_PER_SESSION);
    expect(expected["found"]).toHaveLength(SESSIONS);
    expect([expected["keys"], expected["turns"]].map((rows) => rows?.length)).toEqual([250, 250]);
    for (const name of ["message_feedback", "feedback_tags"]) expect(expected[name]).toHaveLength(SESSIONS / 6);
    expect(expected["daily_statistics"]).toContainEqual(
      expect.objectContaining({ scope: "chatbot", id: "c".repeat(24), sessions: SESSIONS + 1, takeovers: 2 }),
    );
    expect(Object.keys(restored)).toEqual(Object.keys(expected));
    // What cron has to look at in the original's objects: the copy has none, and cron must not make any.
    const { session_uses: uses, ...others } = expected;
    expect(uses).not.toEqual([]);
    expect(restored["session_uses"]).toEqual([]);
    for (const [name, rows] of Object.entries(others)) expect(restored[name], name).toEqual(rows);
  });

  it("changes nothing when it is restored again, nor what was changed since", async () => {
    await withDatabase(copy, (db) => db.exec("UPDATE sessions SET metadata = '{}' WHERE number < 10"));
    await withDatabase(copy, (db) => db.exec("UPDATE daily_statistics SET messages = messages + 1, rated_up = 0"));
    const before = await contentOf(copy);
    await withDatabase(copy, (db) => readBackup(db, files, () => {}));
    expect(await contentOf(copy)).toEqual(before);
  });

  it("goes on where it broke off, in the middle of a line too", async () => {
    const messages = join(files, "messages.jsonl");
    const whole = readFileSync(messages, "utf8");
    rmSync(join(files, "backup.json"));
    rmSync(join(files, "turns.jsonl"));
    writeFileSync(messages, whole.slice(0, Math.floor(whole.length / 2)));
    await withDatabase(original, async (db) => {
      await expect(readBackup(db, files, () => {})).rejects.toThrow("has no finished backup");
      await writeBackup(db, files, () => {});
      expect(readFileSync(messages, "utf8") === whole).toBe(true);
      expect(existsSync(join(files, "backup.json"))).toBe(true);
      await expect(writeBackup(db, files, () => {})).rejects.toThrow("has a finished backup");
    });
  });

  it("has no messages of a session that began meanwhile: another session gets its number after a restore", async () => {
    const later = join(folder, "later");
    await withDatabase(original, async (db) => {
      const insert =
        "INSERT INTO messages (key, role, created_at, appended_at, content) VALUES (?, 'user', 1, 1, 'later')";
      const key = (SESSIONS + 1) * 2 ** 20 + 1;
      await db.prepare(insert).bind(key).run();
      await writeBackup(db, later, () => {});
      await db.prepare("DELETE FROM messages WHERE key = ?").bind(key).run();
    });
    expect(
      readFileSync(join(later, "messages.jsonl"), "utf8") === readFileSync(join(files, "messages.jsonl"), "utf8"),
    ).toBe(true);
  });

  it("is refused by a database where another session has a number of the backup, before a message is written", async () => {
    const other = join(folder, "other");
    await fillDatabase(other);
    await withDatabase(other, async (db) => {
      await writeSession(db, 500);
      const messages = () => db.prepare("SELECT * FROM messages").all();
      const before = (await messages()).results;
      await expect(readBackup(db, files, () => {})).rejects.toThrow("has sessions of its own");
      expect((await messages()).results).toEqual(before);
    });
  });

  it("is refused by a database with other migrations, and by a wrong command line, in plain words", () => {
    const manifest = join(files, "backup.json");
    const text = readFileSync(manifest, "utf8");
    writeFileSync(manifest, text.replace(/"migration": "[^"]+"/, '"migration": "9999_later.sql"'));
    const refused = program("restore", "--persist-to", copy, "--folder", files);
    writeFileSync(manifest, text);
    expect(refused).toEqual({ status: 1, output: expect.stringContaining("made with the migration 9999_later.sql") });
    expect(program("backup", "--nonsense").output).toMatch(/--nonsense[\s\S]+--folder <folder for the files>/);
  });
});
