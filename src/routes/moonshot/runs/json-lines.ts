/**
 * Splits JSON Lines, while they come in, into lines with their numbers. What is in a line does not belong here.
 * https://jsonlines.org. Pure.
 */

export interface JsonLine {
  /** Physical, from 1. */
  line: number;
  text: string;
}

const [TAB, LINE_FEED, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];

/** Takes the text of a file in parts. */
export class JsonLineReader {
  /** Of the line that is being read. */
  #line = 1;
  /** That line so far, without white space before it. */
  #text = "";

  /** @returns the lines that end in this part; blank lines are none */
  *push(text: string): Generator<JsonLine, void> {
    let start = 0;
    while (start < text.length) {
      if (this.#text === "") start = this.#skipBlank(text, start);
      const end = text.indexOf("\n", start);
      this.#text += text.slice(start, end === -1 ? text.length : end);
      if (end === -1) return;
      yield* this.end();
      this.#line += 1;
      start = end + 1;
    }
  }

  /** @returns the last line, if the file does not end with a line break */
  *end(): Generator<JsonLine, void> {
    const text = this.#text;
    this.#text = "";
    if (text.trim() !== "") yield { line: this.#line, text };
  }

  /** A body may be nothing but line breaks. @returns where the next text is */
  #skipBlank(text: string, start: number): number {
    for (let index = start; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit === LINE_FEED) this.#line += 1;
      else if (unit !== SPACE && unit !== TAB && unit !== RETURN) return index;
    }
    return text.length;
  }
}
