/**
 * Reads comma-separated values by RFC 4180, record by record, each with the line where it begins. Writing them is in
 * `routes/http/csv.ts`. https://www.rfc-editor.org/rfc/rfc4180. Pure.
 */

export interface CsvRecord {
  /** Physical, from 1. */
  line: number;
  cells: string[];
}

/** The most characters of a record: more than all fields of an item may have. A body may be nothing but one cell. */
const MAX_RECORD_CHARACTERS = 500_000;

/** What is wrong with the CSV files of a spreadsheet program in many languages. */
export const SEMICOLONS = "The cells seem to be separated by semicolons: separate them with commas";

/** Takes the text of a file in parts. */
export class CsvReader {
  /** A record with more cells has one more than these: all others are dropped, for a body may be nothing but commas. */
  maxCells = 1000;
  #line = 1;
  #startLine = 1;
  #cells: string[] = [];
  #cell = "";
  /** Of the record so far, without what separates cells. */
  #characters = 0;
  /** `quoted`: within quotes; `closed`: after a quote that ends them, or is the first of two. */
  #place: "start" | "plain" | "quoted" | "closed" = "start";
  #afterReturn = false;

  /** @returns the records that end in this part; blank lines are none. @throws {CsvError} for what is no CSV, or too long */
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
    if (!this.#isBlank) yield this.#endRecord();
  }

  #addQuoted(character: string): null {
    if (character === '"') this.#place = "closed";
    else this.#append(character);
    if (character === "\n") this.#line += 1;
    return null;
  }

  #add(character: string): CsvRecord | null {
    if (character === '"' && this.#place !== "plain") {
      if (this.#place === "closed") this.#append('"');
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
      if (this.#place === "closed") throw errorAfterQuote(this.#line, character);
      this.#append(character);
      this.#place = "plain";
      return null;
    }
    // A body may be nothing but line breaks.
    const record = this.#isBlank ? null : this.#endRecord();
    this.#line += 1;
    this.#startLine = this.#line;
    return record;
  }

  get #isBlank(): boolean {
    return this.#place === "start" && this.#cells.length === 0;
  }

  #append(character: string): void {
    this.#characters += character.length;
    if (this.#characters > MAX_RECORD_CHARACTERS)
      throw new CsvError(this.#startLine, `A row has at most ${MAX_RECORD_CHARACTERS} characters`);
    this.#cell += character;
  }

  #endRecord(): CsvRecord {
    const record = { line: this.#startLine, cells: [...this.#cells, this.#cell] };
    this.#cells = [];
    this.#cell = "";
    this.#characters = 0;
    this.#place = "start";
    return record;
  }
}

const errorAfterQuote = (line: number, character: string): CsvError =>
  new CsvError(line, character === ";" ? SEMICOLONS : "Text follows a closing quote");

/** What is wrong with a line. The lines after it cannot be read then. */
export class CsvError extends Error {
  readonly line: number;
  readonly problems: string[];

  constructor(line: number, ...problems: string[]) {
    super(problems.join("; "));
    this.line = line;
    this.problems = problems;
  }
}
