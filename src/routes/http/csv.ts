/**
 * Comma-separated values by RFC 4180, in UTF-8 with a byte order mark: https://www.rfc-editor.org/rfc/rfc4180
 * `csvTable` has a row for each record, `wideTable` a row for each prompt. Both are generators of text that work only as
 * fast as they are read. Which columns there are does not belong here: each dialect has its own. No effects.
 */
import type { LoggedReply } from "./log-replies.ts";

export type Cell = string | number | null;

/** Without it, Excel reads a CSV file in the encoding of the system, which is rarely UTF-8. */
const BYTE_ORDER_MARK = "\uFEFF";

/**
 * The beginning of a cell that a spreadsheet may take for a formula: `=`, `+`, `-` or `@`, also in full width, and
 * control characters that some programs skip before it. https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

/** Writes cells. */
class CellWriter {
  readonly #raw: boolean;

  /** @param raw whether a cell that may be taken for a formula gets no leading `'` */
  constructor(raw: boolean) {
    this.#raw = raw;
  }

  row(cells: readonly Cell[]): string {
    return `${cells.map((cell) => this.cell(cell)).join(",")}\r\n`;
  }

  cell(value: Cell): string {
    if (typeof value !== "string") return value === null ? "" : String(value);
    const text = !this.#raw && FORMULA.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
}

/** A header, and a row for each record. @param raw whether cells get no leading `'` */
export async function* csvTable<Column extends string>(
  columns: readonly Column[],
  records: AsyncIterable<Record<Column, Cell>>,
  raw: boolean,
): AsyncGenerator<string, void> {
  const writer = new CellWriter(raw);
  yield BYTE_ORDER_MARK + writer.row(columns);
  for await (const record of records) yield writer.row(columns.map((column) => record[column]));
}

/** The columns of a wide table. */
export interface WideColumns {
  /** The columns of the prompt. */
  prompt: readonly string[];
  promptCells: (reply: LoggedReply) => Cell[];
  /** A column for each chat of the session, in its order. A name that is taken gets `_2`, `_3`, … */
  chats: readonly string[];
  chatCell: (reply: LoggedReply) => Cell;
}

/**
 * A header, and a row for each turn with its replies side by side. A chat without a reply in a turn has an empty cell.
 * A row is written cell by cell, because all replies of a turn together may be very large.
 *
 * @param replies by turn, and within a turn by chat
 * @param raw whether cells get no leading `'`
 */
export async function* wideTable(
  columns: WideColumns,
  replies: AsyncIterable<LoggedReply>,
  raw: boolean,
): AsyncGenerator<string, void> {
  const writer = new CellWriter(raw);
  yield BYTE_ORDER_MARK + writer.row(uniqueNames([...columns.prompt, ...columns.chats]));
  let turnId: string | null = null;
  /** How many chats of the turn are written. */
  let written = 0;
  const endRow = () => `${",".repeat(columns.chats.length - written)}\r\n`;
  for await (const logged of replies) {
    if (logged.message.turnId !== turnId) {
      if (turnId !== null) yield endRow();
      turnId = logged.message.turnId;
      written = 0;
      yield columns
        .promptCells(logged)
        .map((cell) => writer.cell(cell))
        .join(",");
    }
    yield ",".repeat(logged.chatIndex + 1 - written) + writer.cell(columns.chatCell(logged));
    written = logged.chatIndex + 1;
  }
  if (turnId !== null) yield endRow();
}

function uniqueNames(names: string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 2; taken.has(unique); number++) unique = `${name}_${number}`;
    taken.add(unique);
    return unique;
  });
}
