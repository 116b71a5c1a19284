/** Prints tables of measurements, and a summary against the targets. */
/** A measured value and what it should be. */
export interface Finding {
  measure: string;
  value: number;
  unit: "x" | " ms" | " KB";
  target: { atMost: number } | { atLeast: number };
}

export const inMs = (ms: number): string => (ms < 100 ? ms.toFixed(2) : ms.toFixed(0));

export const asRatio = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** @param rows the first one is the header */
export function printTable(title: string, rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  console.info(`\n${title}`);
  for (const row of rows) console.info(`  ${line(row).join("  ")}`.trimEnd());
}

export function printSummary(findings: Finding[]): void {
  if (findings.length === 0) return;
  const rows = findings.map(({ measure, value, unit, target }) => {
    const format = (number: number) => `${unit === "x" ? number.toFixed(2) : number.toFixed(0)}${unit}`;
    const wanted = "atMost" in target ? `<= ${format(target.atMost)}` : `>= ${format(target.atLeast)}`;
    return [measure, format(value), wanted, isMet(value, target) ? "met" : "MISSED"];
  });
  printTable("Summary", [["measure", "value", "target", ""], ...rows]);
}

const isMet = (value: number, target: Finding["target"]): boolean =>
  "atMost" in target ? value <= target.atMost : value >= target.atLeast;
