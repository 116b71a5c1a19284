/** Backups of a database that is in use, fails, or has long rows; and restoring what is not whole, or not free. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBackup } from "../../../src/dev/backup/read-backup.ts";
import { readManifest } from "../../../src/dev/backup/tables.ts";
import { writeBackup } from "../../../src/dev/backup/write-backup.ts";
import { openLocalDatabase } from "../../../src/dev/database.ts";
import type { OpenDatabase } from "../../../src/dev/database.ts";
import { fillDatabase } from "../../../src/dev/fill-database.ts";
import { lockState } from "../../../src/dev/state-lock.ts";
import { database, toStatement } from "../../../src/store/database.ts";
import * as tables from "../../../src/store/tables.ts";

const root = new URL("../../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "parley-"));
const [original, copy, files] = [join(folder, "original"), join(folder, "copy"), join(folder, "files")];
const opened: OpenDatabase[] = [];
let source: D1Database;
let target: D1Database;

/** More than fit in the first page, and more than two million characters of them in a page. */
const MESSAGES = 300;
const MESSAGE_CHARACTERS = 50_000;
const PAGE_CHARACTERS = 2_000_000;

const SESSION = {
  id: "a".repeat(24),
  kind: "chatbot" as const,
  title: "Long",
  titleFolded: "long",
  status: "ACTIVE" as const,
  startTime: 1,
  chatbotId: "c".repeat(24),
  clientId: "d".repeat(24),
  chats: [],
  createdAt: 1,
  updatedAt: 1,
  lastSeq: 0,
  metadataVersion: 1,
  messageCount: 0,
};

async function openDatabase(state: string): Promise<D1Database> {
  const open = await openLocalDatabase(state);
  opened.push(open);
  return open.db;
}

function insertMessage(binding: D1Database, seq: number): D1PreparedStatement {
  const db = database(binding);
  // The session is the first of its database.
  const message = { key: 2 ** 20 + seq, role: "user", createdAt: seq, appendedAt: seq } as const;
  return toStatement(db, db.insert(tables.messages).values({ ...message, content: "x".repeat(MESSAGE_CHARACTERS) }));
}

/** A part of D1 as it is, but for one method. */
const replaceMethod = <T extends object>(part: T, method: string, replacement: unknown): T =>
  new Proxy(part, {
    get(_, name) {
      const value: unknown = name === method ? replacement : Reflect.get(part, name);
      return typeof value === "function" ? value.bind(part) : value;
    },
  });

/** D1 as it is, but for what is done before a query: it fails, or is passed on. */
const intercept = (db: D1Database, queried: (sql: string) => Promise<unknown>): D1Database =>
  replaceMethod(db, "prepare", (sql: string) => {
    const statement = db.prepare(sql);
    const bind = (...values: unknown[]) => ({
      all: async () => {
        await queried(sql);
        return statement.bind(...values).all();
      },
    });
    return replaceMethod(statement, "bind", bind);
  });

/** What the database says that a session has, and what it has. */
const countsOf = (db: D1Database) =>
  db
    .prepare(
      "SELECT last_seq, message_count, (SELECT count(*) FROM messages) AS stored FROM sessions WHERE title = 'Long'",
    )
    .first();

const keysOf = async (db: D1Database): Promise<number[]> =>
  (await db.prepare("SELECT key FROM messages ORDER BY key").all<{ key: number }>()).results.map(({ key }) => key);

beforeAll(async () => {
  await fillDatabase(original);
  await fillDatabase(copy);
  source = await openDatabase(original);
  target = await openDatabase(copy);
  const db = database(source);
  await source.batch([
    toStatement(db, db.insert(tables.sessions).values(SESSION)),
    ...Array.from({ length: MESSAGES }, (_, n) => insertMessage(source, n + 1)),
  ]);
});

afterAll(async () => {
  for (const { close } of opened) await close();
  rmSync(folder, { recursive: true });
});

describe("a backup", () => {
  it("is whole though the database is written to meanwhile, answers a page late, and has long rows", async () => {
    const written: Promise<unknown>[] = [];
    const limits: number[] = [];
    let failures = 2;
    const db = intercept(source, async (sql) => {
      const limit = /FROM "messages".*LIMIT (\d+)/.exec(sql)?.[1];
      if (limit === undefined) return;
      limits.push(Number(limit));
      if (limits.length > 1 && failures-- > 0) throw new Error("D1_ERROR: too much");
    });
    await writeBackup(db, files, (text) => {
      if (written.length === 0 && /^(sessions|messages):/.test(text))
        written.push(insertMessage(source, MESSAGES + 1).run());
    });
    await Promise.all(written);
    const [, second = 0, ...later] = limits;
    expect(second).toBe(Math.floor(PAGE_CHARACTERS / (MESSAGE_CHARACTERS + 200)));
    expect(later.slice(0, 2)).toEqual([second / 10, second / 100].map((limit) => Math.max(1, Math.floor(limit))));
    expect(Math.max(...later) * MESSAGE_CHARACTERS).toBeLessThanOrEqual(PAGE_CHARACTERS);
    await readBackup(target, files, () => {});
    const counts = { last_seq: MESSAGES + 1, message_count: MESSAGES + 1, stored: MESSAGES + 1 };
    expect(await countsOf(target)).toEqual(counts);
  });

  it("misses no row when others before it are deleted meanwhile", async () => {
    const before = await keysOf(source);
    const other = join(folder, "other");
    let pages = 0;
    const db = intercept(source, async (sql) => {
      if (!sql.includes('FROM "messages"') || (pages += 1) !== 2) return;
      await source.prepare("DELETE FROM messages WHERE key IN (SELECT key FROM messages ORDER BY key LIMIT 50)").run();
    });
    await writeBackup(db, other, () => {});
    const lines = readFileSync(join(other, "messages.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).key)).toEqual(before);
    expect(await keysOf(source)).toEqual(before.slice(50));
  });

  it("that broke off is not taken for a whole one", async () => {
    const begun = join(folder, "begun");
    const breakOff = (text: string) => {
      if (text.startsWith("messages:")) throw new Error("Broken off");
    };
    await expect(writeBackup(source, begun, breakOff)).rejects.toThrow("Broken off");
    await expect(readBackup(target, begun, () => {})).rejects.toThrow("has no finished backup");
    await writeBackup(source, begun, () => {});
    expect(readManifest(begun).tables).toContainEqual({ name: "messages", rows: (await keysOf(source)).length });
  });

  it("can be read by nobody else", () => {
    expect(statSync(files).mode & 0o777).toBe(0o700);
    for (const table of ["keys", "messages"]) expect(statSync(join(files, `${table}.jsonl`)).mode & 0o777).toBe(0o600);
  });
});

describe("restoring", () => {
  it("tries a write again", async () => {
    let failures = 2;
    const batch: D1Database["batch"] = (statements) =>
      failures-- > 0 ? Promise.reject(new Error("D1_ERROR: Network connection lost.")) : target.batch(statements);
    await target.exec("DELETE FROM messages");
    await readBackup(replaceMethod(target, "batch", batch), files, () => {});
    expect(await countsOf(target)).toMatchObject({ stored: MESSAGES + 1 });
    expect(failures).toBeLessThan(0);
  });

  it("says that a file has lost rows", async () => {
    const file = join(files, "messages.jsonl");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.slice(0, whole.lastIndexOf("\n", whole.length - 2) + 1));
    const lost = `messages.jsonl has ${MESSAGES} rows, and the backup had ${MESSAGES + 1}.`;
    await expect(readBackup(target, files, () => {})).rejects.toThrow(lost);
    writeFileSync(file, whole);
  });

  it("is refused while a server uses the database", () => {
    const release = lockState(copy);
    const args = ["src/dev/backup.ts", "restore", "--persist-to", copy, "--folder", files];
    const { status, stderr } = spawnSync(process.execPath, ["--no-warnings", ...args], { cwd: root, encoding: "utf8" });
    release();
    expect([status, stderr]).toEqual([1, expect.stringContaining("Another Parley uses the state folder")]);
  });
});
