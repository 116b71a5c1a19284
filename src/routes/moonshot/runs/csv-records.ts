/**
 * Reads comma-separated values by RFC 4180, record by record, each with the line where it begins. Writing them is in
 * `routes/http/csv.ts`. https://www.rfc-editor.org/rfc/rfc4180. Pure.
 */

export interface CsvRecord {
  /** Physical, from 1. */
  line: number;
  cells: string[];
}

/** Takes the text of a file in parts. */
export class CsvReader {
  /** A record with more cells has one more than these: all others are dropped, for a body may be nothing but commas. */
  maxCells = 1000;
  #line = 1;
  #startLine = 1;
  #cells: string[] = [];
  #cell = "";
  /** `quoted`: within quotes; `closed`: after a quote that ends them, or is the first of two. */
  #place: "start" | "plain" | "quoted" | "closed" = "start";
  #afterReturn = false;

  /** @returns the records that end in this part; blank lines are none */
  *push(text: string): Generator<CsvRecord, void> {
    for (const character of text) {
      const isSecondOfBreak = this.#afterReturn && character === "\n" && this.#place !== "quoted";
      this.#afterReturn = character === "\r";
      if (isSecondOfBreak) continue;
      const ended = this.#place === "quoted" ? this.#addQuoted(character) : this.#add(character);
      if (ended) yield ended;
    }
  }

  /** @returns the last record, if the file does not end with a line break. @throws {CsvError} within quotes */
  *end(): Generator<CsvRecord, void> {
    if (this.#place === "quoted") throw new CsvError(this.#startLine, "A quote is not closed");
    const last = this.#endRecord();
    if (last) yield last;
  }

  #addQuoted(character: string): null {
    if (character === '"') this.#place = "closed";
    else this.#cell += character;
    if (character === "\n") this.#line += 1;
    return null;
  }

  #add(character: string): CsvRecord | null {
    if (character === '"' && this.#place !== "plain") {
      if (this.#place === "closed") this.#cell += '"';
      this.#place = "quoted";
      return null;
    }
    if (character === ",") {
      if (this.#cells.length < this.maxCells) this.#cells.push(this.#cell);
      this.#cell = "";
      this.#place = "start";
      return null;
    }
    if (character !== "\n" && character !== "\r") {
      if (this.#place === "closed") throw new CsvError(this.#line, "Text follows a closing quote");
      this.#cell += character;
      this.#place = "plain";
      return null;
    }
    const record = this.#endRecord();
    this.#line += 1;
    this.#startLine = this.#line;
    return record;
  }

  #endRecord(): CsvRecord | null {
    const isBlank = this.#cells.length === 0 && this.#cell === "" && this.#place === "start";
    const record = { line: this.#startLine, cells: [...this.#cells, this.#cell] };
    this.#cells = [];
    this.#cell = "";
    this.#place = "start";
    return isBlank ? null : record;
  }
}

/** What is no CSV, and in which line. */
export class CsvError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
