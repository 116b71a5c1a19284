/** Prints tables of measurements and a summary against the targets, keeps them for a file, and compares two such files. */
import { readFileSync, writeFileSync } from "node:fs";

/** A measured value and what it should be. */
export interface Finding {
  measure: string;
  value: number;
  unit: "x" | " ms" | " KB" | " /s" | " a call";
  target: { atMost: number } | { atLeast: number };
}

interface Table {
  title: string;
  /** The first one is the header, the first cell of each the name. */
  rows: string[][];
}

const tables: Table[] = [];

export const inMs = (ms: number): string => (ms < 100 ? ms.toFixed(2) : ms.toFixed(0));

export const asRatio = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** @param rows the first one is the header */
export function printTable(title: string, rows: string[][]): void {
  tables.push({ title, rows });
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  console.info(`\n${title}`);
  for (const row of rows) console.info(`  ${line(row).join("  ")}`.trimEnd());
}

const DIGITS: Partial<Record<Finding["unit"], number>> = { x: 2, " a call": 1 };

export function printSummary(findings: Finding[]): void {
  if (findings.length === 0) return;
  const rows = findings.map(({ measure, value, unit, target }) => {
    const format = (number: number) => `${number.toFixed(DIGITS[unit] ?? 0)}${unit}`;
    const wanted = "atMost" in target ? `<= ${format(target.atMost)}` : `>= ${format(target.atLeast)}`;
    return [measure, format(value), wanted, isMet(value, target) ? "met" : "MISSED"];
  });
  printTable("Summary", [["measure", "value", "target", ""], ...rows]);
}

const isMet = (value: number, target: Finding["target"]): boolean =>
  "atMost" in target ? value <= target.atMost : value >= target.atLeast;

/** Writes all tables that were printed to a JSON file. */
export const writeTables = (file: string): void => writeFileSync(file, `${JSON.stringify(tables, null, 2)}\n`);

/** Prints each table of both files with the values before and after. Tables and rows that only one file has are left out. */
export function printChanges(before: string, after: string): void {
  const [old, current] = [before, after].map((file) => JSON.parse(readFileSync(file, "utf8")) as Table[]);
  for (const { title, rows } of current ?? []) {
    const oldRows = new Map(old?.find((table) => table.title === title)?.rows.map((row) => [row[0], row]));
    const changed = rows.filter(([name]) => oldRows.has(name));
    if (changed.length > 0)
      printTable(
        title,
        changed.map((row) => changesOf(oldRows.get(row[0]) ?? [], row)),
      );
  }
}

const changesOf = (old: string[], current: string[]): string[] =>
  current.map((cell, column) => (column === 0 || cell === old[column] ? cell : `${old[column]} -> ${cell}`));
