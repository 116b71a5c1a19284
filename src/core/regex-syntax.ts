/**
 * Reads regular expressions in RE2's syntax: https://github.com/google/re2/wiki/Syntax. What needs backtracking is refused:
 * look-around and back references. Running them does not belong here: that is `linear-regex.ts`. Pure.
 */

/** Tests one character, by its code point. */
export type CharacterTest = (codePoint: number) => boolean;

/** Tests a place between two characters: -1 stands for none. */
export type PlaceTest = (before: number, after: number) => boolean;

export type RegexNode =
  | { type: "character"; test: CharacterTest }
  | { type: "place"; test: PlaceTest }
  | { type: "sequence"; nodes: RegexNode[] }
  | { type: "either"; nodes: RegexNode[] }
  | { type: "repeat"; node: RegexNode; min: number; max: number };

/** What is wrong with an expression, for its author. */
export class RegexError extends Error {}

interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
}

/** The most characters of an expression. */
export const MAX_REGEX_LENGTH = 1_000;

/** The most groups within each other: each is a call within another one. */
const MAX_DEPTH = 100;

/** The highest count in braces, as in RE2. */
const MAX_REPEAT = 1_000;

interface Counts {
  min: number;
  max: number;
}

const SIGNS: Readonly<Record<string, Counts>> = {
  "*": { min: 0, max: Infinity },
  "+": { min: 1, max: Infinity },
  "?": { min: 0, max: 1 },
};

const BRACES = /^\{(\d{1,9})(?:(,)(\d{0,9}))?\}/;

function countsIn([, from, comma, to = ""]: RegExpExecArray): Counts {
  const min = Number(from);
  if (comma === undefined) return { min, max: min };
  return { min, max: to === "" ? Infinity : Number(to) };
}

const SETS: Readonly<Record<string, string>> = {
  d: "[0-9]",
  D: "[^0-9]",
  w: "[0-9A-Za-z_]",
  W: "[^0-9A-Za-z_]",
  s: "[\\t\\n\\f\\r ]",
  S: "[^\\t\\n\\f\\r ]",
};

const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7, "0": 0 };

const NEW_LINE = 10;

const isWord: CharacterTest = (code) =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);

const atBoundary: PlaceTest = (before, after) => isWord(before) !== isWord(after);

const PLACES: Readonly<Record<string, PlaceTest>> = {
  b: atBoundary,
  B: (before, after) => !atBoundary(before, after),
  A: (before) => before === -1,
  z: (_, after) => after === -1,
};

const EMPTY: RegexNode = { type: "sequence", nodes: [] };

/** A character as a class of JavaScript has it. */
const literal = (code: number): string => `\\u{${code.toString(16)}}`;

/** The test of a class in JavaScript's syntax. A class has one character, so its own engine cannot run away. */
function classTest(source: string, { i }: Flags): CharacterTest {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^${source}$`, i ? "iv" : "v");
  } catch {
    throw new RegexError("A class or a property of characters is not known");
  }
  // 0: not tested yet.
  const ofAscii = new Int8Array(128);
  return (code) => {
    if (code < 0) return false;
    if (code >= 128) return pattern.test(String.fromCodePoint(code));
    ofAscii[code] ||= pattern.test(String.fromCodePoint(code)) ? 1 : -1;
    return ofAscii[code] === 1;
  };
}

/** @throws {RegexError} */
export function parseRegex(pattern: string): RegexNode {
  if (pattern.length > MAX_REGEX_LENGTH) throw new RegexError(`It is longer than ${MAX_REGEX_LENGTH} characters`);
  return new Parser(Array.from(pattern)).parse();
}

class Parser {
  readonly #characters: string[];
  #at = 0;
  #depth = 0;
  #flags: Flags = { i: false, m: false, s: false };

  constructor(characters: string[]) {
    this.#characters = characters;
  }

  parse(): RegexNode {
    const node = this.#either();
    if (this.#at < this.#characters.length) throw new RegexError("A ) has no (");
    return node;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string {
    const character = this.#next;
    if (character === undefined) throw new RegexError("It ends too early");
    this.#at += 1;
    return character;
  }

  #skip(text: string): boolean {
    const found = this.#characters.slice(this.#at, this.#at + text.length).join("") === text;
    if (found) this.#at += text.length;
    return found;
  }

  #either(): RegexNode {
    const flags = this.#flags;
    const nodes = [this.#sequence()];
    while (this.#skip("|")) nodes.push(this.#sequence());
    // Flags hold to the end of their group.
    this.#flags = flags;
    return nodes.length === 1 ? (nodes[0] ?? EMPTY) : { type: "either", nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (this.#next !== undefined && this.#next !== "|" && this.#next !== ")") nodes.push(this.#repeated());
    return { type: "sequence", nodes };
  }

  #repeated(): RegexNode {
    const node = this.#atom();
    const counts = this.#counts();
    if (!counts) return node;
    // Whether it takes as little as it can does not change whether there is a match.
    this.#skip("?");
    if (this.#counts()) throw new RegexError("A repetition is repeated");
    return { type: "repeat", node, ...counts };
  }

  #counts(): Counts | null {
    for (const [sign, counts] of Object.entries(SIGNS)) if (this.#skip(sign)) return counts;
    const braces = BRACES.exec(this.#characters.slice(this.#at, this.#at + 24).join(""));
    // Braces with anything else stand for themselves.
    if (!braces) return null;
    this.#at += braces[0].length;
    const counts = countsIn(braces);
    const highest = counts.max === Infinity ? counts.min : counts.max;
    if (highest > MAX_REPEAT || counts.min > counts.max)
      throw new RegexError(`Counts of a repetition are at most ${MAX_REPEAT}, the smaller one first`);
    return counts;
  }

  #atom(): RegexNode {
    const character = this.#take();
    if (character === "(") return this.#group();
    if (character === "[") return { type: "character", test: this.#class() };
    if (character === "\\") return this.#escape();
    if ("*+?".includes(character)) throw new RegexError(`Nothing stands before ${character}`);
    if (character === ".") return this.#any();
    if (character === "^" || character === "$") return this.#edge(character);
    return this.#literal(character.codePointAt(0) ?? 0);
  }

  #any(): RegexNode {
    const { s } = this.#flags;
    return { type: "character", test: (code) => s || code !== NEW_LINE };
  }

  #edge(character: "^" | "$"): RegexNode {
    const { m } = this.#flags;
    const isEdge: CharacterTest = (code) => code === -1 || (m && code === NEW_LINE);
    return { type: "place", test: (before, after) => isEdge(character === "^" ? before : after) };
  }

  #literal(code: number): RegexNode {
    const test = this.#flags.i ? classTest(literal(code), this.#flags) : (other: number) => other === code;
    return { type: "character", test };
  }

  #group(): RegexNode {
    const flags = this.#flags;
    if (this.#skip("?") && !this.#groupHead()) return EMPTY;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new RegexError(`More than ${MAX_DEPTH} groups are within each other`);
    const node = this.#either();
    this.#depth -= 1;
    if (!this.#skip(")")) throw new RegexError("A ( has no )");
    this.#flags = flags;
    return node;
  }

  /** Reads what stands after `(?`. @returns whether a group follows, and not only its flags */
  #groupHead(): boolean {
    if (["=", "!", "<=", "<!"].some((look) => this.#skip(look)))
      throw new RegexError("Look-around is not supported: its time cannot be bounded");
    if (!this.#skip("P<") && !this.#skip("<")) return this.#flagsOfGroup();
    while (this.#take() !== ">");
    return true;
  }

  #flagsOfGroup(): boolean {
    let on = true;
    const flags = { ...this.#flags };
    for (let character = this.#take(); character !== ":" && character !== ")"; character = this.#take()) {
      if (character === "-") on = false;
      else if (character === "i" || character === "m" || character === "s") flags[character] = on;
      else if (character !== "U") throw new RegexError(`The group (?${character} is not known`);
    }
    this.#flags = flags;
    return this.#characters[this.#at - 1] === ":";
  }

  #escape(): RegexNode {
    const place = PLACES[this.#next ?? ""];
    if (place) {
      this.#at += 1;
      return { type: "place", test: place };
    }
    const escaped = this.#escaped();
    return typeof escaped === "number"
      ? this.#literal(escaped)
      : { type: "character", test: classTest(escaped, this.#flags) };
  }

  /** What a backslash stands for: a character, or a class in JavaScript's syntax. */
  #escaped(): number | string {
    const character = this.#take();
    const known = SETS[character] ?? CONTROLS[character];
    if (known !== undefined) return known;
    if (character === "p" || character === "P") return `\\${character}{${this.#inBraces()}}`;
    if (character === "x") return this.#hex();
    if (/[1-9k]/.test(character))
      throw new RegexError("Back references are not supported: their time cannot be bounded");
    if (/[A-Za-z]/.test(character)) throw new RegexError(`\\${character} is not known`);
    return character.codePointAt(0) ?? 0;
  }

  #inBraces(): string {
    if (!this.#skip("{")) return this.#take();
    let text = "";
    for (let character = this.#take(); character !== "}"; character = this.#take()) text += character;
    return text;
  }

  #hex(): number {
    const digits = this.#next === "{" ? this.#inBraces() : this.#take() + this.#take();
    const code = /^[\da-f]{1,6}$/i.test(digits) ? Number.parseInt(digits, 16) : Infinity;
    if (code > 0x10_ff_ff) throw new RegexError("\\x needs the number of a character");
    return code;
  }

  #class(): CharacterTest {
    let source = this.#skip("^") ? "[^" : "[";
    for (let isFirst = true; isFirst || this.#next !== "]"; isFirst = false) {
      const from = this.#member();
      const isRange = this.#next === "-" && this.#characters[this.#at + 1] !== "]";
      if (!isRange) {
        source += typeof from === "number" ? literal(from) : from;
        continue;
      }
      this.#at += 1;
      const to = this.#member();
      if (typeof from !== "number" || typeof to !== "number" || from > to)
        throw new RegexError("A range of characters has no two ends in order");
      source += `${literal(from)}-${literal(to)}`;
    }
    this.#at += 1;
    return classTest(`${source}]`, this.#flags);
  }

  #member(): number | string {
    const character = this.#take();
    if (character === "\\") return this.#escaped();
    if (character === "[" && this.#next === ":") throw new RegexError("Classes such as [:alpha:] are not supported");
    return character.codePointAt(0) ?? 0;
  }
}
