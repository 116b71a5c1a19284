/**
 * Cuts the elements of the array `items` out of the text of a JSON object, while it comes in: the whole may be too long to
 * be parsed at once. Whether what it cuts is JSON, `JSON.parse` says. Pure.
 */

/** The most text beside the items, in UTF-16 code units. */
const MAX_REST = 1_048_576;

/** Thrown when the text beside the items is too long. The message follows the name of what was read. */
export class RestTooLong extends Error {
  constructor() {
    super(`has more than ${MAX_REST} characters outside items`);
  }
}

/** Thrown when the object has a second field `items`. */
export class ItemsTwice extends Error {}

export class JsonItemReader {
  /** Open brackets and braces. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The last string at the top, as it stands there. Before a colon it is the name of a field. */
  #name = "";
  #isFieldItems = false;
  #hadItems = false;
  #isName = false;
  #isInItems = false;
  #followsComma = false;
  #item = "";
  #rest = "";

  /** The object without its items. */
  get rest(): string {
    return this.#rest;
  }

  /** @returns the texts of the items that end in this part */
  *push(text: string): Generator<string, void> {
    let start = 0;
    for (let index = 0; index < text.length; index++) {
      const wasInItems = this.#isInItems;
      const ends = this.#read(text[index] ?? "");
      if (wasInItems && ends) {
        yield* this.#endItem(text.slice(start, index));
        start = this.#isInItems ? index + 1 : index;
      } else if (!wasInItems && this.#isInItems) {
        this.#addRest(text.slice(start, index + 1));
        start = index + 1;
      }
    }
    if (this.#isInItems) this.#item += text.slice(start);
    else this.#addRest(text.slice(start));
  }

  *#endItem(text: string): Generator<string, void> {
    const item = this.#item + text;
    this.#item = "";
    // An empty array has no item, but one follows every comma.
    if (item.trim() !== "" || this.#isInItems || this.#followsComma) yield item;
    this.#followsComma = this.#isInItems;
  }

  #addRest(text: string): void {
    this.#rest += text;
    if (this.#rest.length > MAX_REST) throw new RestTooLong();
  }

  /** @returns whether the character ends an item */
  #read(character: string): boolean {
    if (this.#isInString) {
      this.#readInString(character);
      return false;
    }
    if (character === '"') {
      this.#isInString = true;
      this.#isName = this.#depth === 1;
      if (this.#isName) this.#name = "";
      return false;
    }
    return this.#readMark(character);
  }

  #readMark(character: string): boolean {
    if (character === "[" || character === "{") this.#open(character);
    else if (character === "]" || character === "}") return this.#close();
    else if (character === ":" && this.#depth === 1) this.#beginValue();
    return this.#isInItems && this.#depth === 2 && character === ",";
  }

  /** @throws {SyntaxError} if the name is no JSON */
  #beginValue(): void {
    this.#isFieldItems = JSON.parse(`"${this.#name}"`) === "items";
    if (this.#isFieldItems && this.#hadItems) throw new ItemsTwice();
    this.#hadItems ||= this.#isFieldItems;
  }

  #readInString(character: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (character === "\\") this.#isEscaped = true;
    else if (character === '"') {
      this.#isInString = false;
      return;
    }
    if (this.#isName) this.#name += character;
  }

  #open(bracket: string): void {
    this.#depth += 1;
    if (this.#depth === 2 && bracket === "[" && this.#isFieldItems) this.#isInItems = true;
  }

  #close(): boolean {
    this.#depth -= 1;
    const endsItems = this.#isInItems && this.#depth === 1;
    if (endsItems) this.#isInItems = false;
    return endsItems;
  }
}
