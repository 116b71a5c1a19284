import { styleText } from "node:util";
import type { ParleyClient } from "../client/parley-client.ts";

/** No line is longer, however wide the terminal. */
const WIDEST = 100;

/** Where the acts of the demo are played: against one Parley, before one person. */
export interface Terminal {
  parley: ParleyClient;
  /** Remembers what the demo itself made, by the path that deletes it. */
  mine: (path: string) => void;
}

/** One thing that Parley is for, shown. */
export interface DemoStep {
  title: string;
  play: (stage: Terminal) => Promise<void>;
}

/** Prints an act's title. */
export function announce(number: number, title: string): void {
  console.info(`\n${styleText("bold", `${number}. ${title}`)}\n`);
}

/** Prints a remark about what is seen. */
export function remark(text: string): void {
  for (const line of wrap(text, lineWidth() - 2)) console.info(`  ${styleText("dim", line)}`);
}

/** Begins a line of a dialogue that is not known to its end yet. @returns what prints the next piece of it */
export function speak(speaker: string): (piece: string) => void {
  const margin = 10;
  let column = margin;
  process.stdout.write(`  ${styleText("cyan", speaker.padEnd(margin - 2))}`);
  return (piece) => {
    for (const word of piece.match(/\s*\S+/g) ?? []) {
      const fits = column + word.length <= lineWidth();
      process.stdout.write(fits ? word : `\n${" ".repeat(margin)}${word.trimStart()}`);
      column = fits ? column + word.length : margin + word.trimStart().length;
    }
  };
}

/** Prints what happened at a moment, with who did it. @param at milliseconds since it all began */
export function note(at: number, who: string, what: string): void {
  console.info(`  ${styleText("dim", seconds(at))}  ${styleText("cyan", who.padEnd(14))}${what}`);
}

/** Prints what somebody says in a dialogue. */
export function say(speaker: string, text: string): void {
  const margin = 10;
  const [first = "", ...others] = wrap(text, lineWidth() - margin);
  console.info(`  ${styleText("cyan", speaker.padEnd(margin - 2))}${first}`);
  for (const line of others) console.info(" ".repeat(margin) + line);
}

/** One row of a table; its last cell is wrapped into what is left of the line. */
export interface Row {
  cells: string[];
  style: "reset" | "red" | "dim";
}

/** Prints rows under each other, their columns aligned. */
export function table(header: string[], body: Row[]): void {
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
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

const lineWidth = (): number => Math.min(process.stdout.columns || WIDEST, WIDEST);

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
