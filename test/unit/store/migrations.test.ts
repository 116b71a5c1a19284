/**
 * The form that migrations must have to be deployed. `wrangler d1 migrations apply --remote` sends a whole file to D1, whose server
 * splits it into statements: by upper-case BEGIN and END, and not always rightly. https://github.com/cloudflare/workers-sdk/issues/15314
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { CasingCache } from "drizzle-orm/casing";
import { afterAll, describe, expect, it } from "vitest";
import { unstable_splitSqlQuery as splitSqlQuery } from "wrangler";
import * as accessTables from "../../../src/store/access-tables.ts";
import * as feedbackTables from "../../../src/store/feedback-tables.ts";
import * as statisticsTables from "../../../src/store/statistics-tables.ts";
import * as tables from "../../../src/store/tables.ts";

const root = new URL("../../..", import.meta.url).pathname;
const folder = join(root, "migrations");
const files = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .toSorted()
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));

const withoutComments = (text: string): string => text.replaceAll(/^--.*$/gm, "").replaceAll(/--> .*$/gm, "");

/** Splits at each semicolon that is not between BEGIN and END. It knows no quotes and no lower case. */
function splitSimply(text: string): string[] {
  const statements: string[] = [];
  let current = "";
  for (const part of withoutComments(text).split(";")) {
    current += current ? `;${part}` : part;
    if (/\bBEGIN\b/.test(current) && !/\bEND\s*$/.test(current)) continue;
    if (current.trim()) statements.push(current.trim());
    current = "";
  }
  return current.trim() ? [...statements, current.trim()] : statements;
}

function migrate(split: (text: string) => string[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const { name, text } of files)
    for (const statement of split(text)) {
      try {
        database.prepare(statement).run();
      } catch (error) {
        throw new Error(`${name}: ${statement.slice(0, 100)}`, { cause: error });
      }
    }
  return database;
}

const definitions = (database: DatabaseSync): unknown[] =>
  database.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all();

describe.each(files)("migration $name", ({ text }) => {
  it("is small enough for one call and one statement of D1", () => {
    expect(Buffer.byteLength(text)).toBeLessThan(90_000);
  });

  it("ends with a semicolon, as wrangler appends a statement, and its lines end with LF", () => {
    expect(/;\s*$/.test(text)).toBe(true);
    expect(text.includes("\r")).toBe(false);
  });

  it("has a trigger alone, on one line, with BEGIN and END in upper case and no CASE", () => {
    expect(/\bCASE\b/i.test(text)).toBe(false);
    if (!/\bTRIGGER\b/i.test(text)) return;
    expect(text.match(/\bTRIGGER\b/gi)).toHaveLength(1);
    expect(text).toMatch(/^CREATE TRIGGER .* BEGIN .*; END;\n?$/);
    expect(text.match(/\b(?:BEGIN|END)\b/gi)).toEqual(["BEGIN", "END"]);
  });

  it("is split alike by wrangler and by a splitter that knows neither quotes nor lower case", () => {
    const split = splitSqlQuery(withoutComments(text)).map((statement) => statement.trim().replace(/;$/, ""));
    // Not `toEqual`, whose report of a difference would hold the whole file.
    expect(splitSimply(text).join() === split.join()).toBe(true);
  });
});

describe("migrations together", () => {
  const copy = mkdtempSync(join(tmpdir(), "parley-migrations-"));
  afterAll(() => rmSync(copy, { recursive: true }));

  it("make the same database, whoever splits them", () => {
    expect(definitions(migrate(splitSimply))).toEqual(definitions(migrate(splitSqlQuery)));
  });

  it("make the columns of src/store/*tables.ts", () => {
    const database = migrate(splitSqlQuery);
    const casing = new CasingCache("snake_case");
    for (const table of Object.values({ ...tables, ...accessTables, ...feedbackTables, ...statisticsTables }).filter(
      (value) => value instanceof SQLiteTable,
    )) {
      const { name, columns } = getTableConfig(table);
      const made = database.prepare("SELECT name FROM pragma_table_info(?)").all(name);
      expect(new Set(made.map((column) => column["name"]))).toEqual(
        new Set(columns.map((column) => casing.getColumnCasing(column))),
      );
    }
  });

  it("leave nothing for `npm run migration` to write", () => {
    cpSync(folder, copy, { recursive: true });
    const script = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { migration: string } })
      .scripts.migration;
    const [, ...args] = script.split(" ").map((word) => (word === "migrations" ? relative(root, copy) : word));
    execFileSync(join(root, "node_modules/.bin/drizzle-kit"), args, { cwd: root });
    expect(readdirSync(copy).filter((file) => file.endsWith(".sql"))).toHaveLength(files.length);
  });
});
