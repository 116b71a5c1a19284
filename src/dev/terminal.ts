/**
 * Prints the parts of the demo: headings, remarks, dialogue, events and tables, wrapped to the width of the terminal.
 *
 * Writes to standard output. What is printed, and when, is decided in the steps.
 */
import { styleText } from "node:util";

const MAX_WIDTH = 100;

/** The columns that the name of a speaker takes. */
const SPEAKER_WIDTH = 10;

export function printHeading(number: number, title: string): void {
  console.info(`\n${styleText("bold", `${number}. ${title}`)}\n`);
}

export function printRemark(text: string): void {
  for (const line of wrap(text, lineWidth() - 2)) console.info(`  ${styleText("dim", line)}`);
}

/** Prints a command in one line, however long, so that it can be copied. */
export function printCommand(command: string): void {
  console.info(`  ${command}`);
}

/** Prints a speaker's name. @returns prints the next piece of the text, for text that is still being written */
export function startSpeech(speaker: string): (piece: string) => void {
  let column = SPEAKER_WIDTH;
  process.stdout.write(`  ${styleText("cyan", speaker.padEnd(SPEAKER_WIDTH - 2))}`);
  return (piece) => {
    for (const word of piece.match(/\s*\S+/g) ?? []) {
      const fits = column + word.length <= lineWidth();
      process.stdout.write(fits ? word : `\n${" ".repeat(SPEAKER_WIDTH)}${word.trimStart()}`);
      column = fits ? column + word.length : SPEAKER_WIDTH + word.trimStart().length;
    }
  };
}

export function printSpeech(speaker: string, text: string): void {
  const [first = "", ...others] = wrap(text, lineWidth() - SPEAKER_WIDTH);
  console.info(`  ${styleText("cyan", speaker.padEnd(SPEAKER_WIDTH - 2))}${first}`);
  for (const line of others) console.info(" ".repeat(SPEAKER_WIDTH) + line);
}

/** @param atMs time since the step started */
export function printEvent(atMs: number, who: string, what: string): void {
  console.info(`  ${styleText("dim", formatSeconds(atMs))}  ${styleText("cyan", who.padEnd(14))}${what}`);
}

/** A row of a table. The last cell is wrapped into the rest of the line. */
export interface Row {
  cells: string[];
  style: "reset" | "red" | "dim";
}

export function printTable(header: string[], body: Row[]): void {
  const rows: Row[] = [{ cells: header, style: "dim" }, ...body];
  const widths = header.map((_, column) => Math.max(...rows.map(({ cells }) => cells[column]?.length ?? 0)) + 2);
  const margin = widths.slice(0, -1).reduce((sum, width) => sum + width, 2);
  for (const { cells, style } of rows) {
    const aligned = cells.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const [first = "", ...others] = wrap(cells.at(-1) ?? "", Math.max(20, lineWidth() - margin));
    console.info(styleText(style, `  ${aligned.join("")}${first}`));
    for (const line of others) console.info(styleText(style, " ".repeat(margin) + line));
  }
}

/** `1.04 s` */
export const formatSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

const lineWidth = (): number => Math.min(process.stdout.columns || MAX_WIDTH, MAX_WIDTH);

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
