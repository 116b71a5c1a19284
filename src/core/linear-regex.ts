/**
 * Regular expressions whose time grows with the text alone, whatever the expression: all ways through it are followed at
 * once, and none is tried again. https://swtch.com/~rsc/regexp/regexp1.html. The syntax is in `regex-syntax.ts`. Pure.
 */
import { RegexError, parseRegex } from "./regex-syntax.ts";
import type { CharacterTest, PlaceTest, RegexNode } from "./regex-syntax.ts";

/** The most steps that an expression may have: its time is at most this many tests for each character. */
const MAX_STEPS = 1_000;

/** The most parts that are looked at while repetitions are written out. Parts that match nothing make no step. */
const MAX_PARTS = 10_000;

/** What is done at a step; the next step follows it, unless it says where to go on. */
type Step =
  | { type: "character"; test: CharacterTest }
  | { type: "place"; test: PlaceTest }
  | { type: "go"; to: number[] }
  | { type: "found" };

/**
 * The most steps that are looked at in one text, about half a second: an object does nothing else meanwhile. A thousand
 * steps that all stay open would take a minute for the longest reply.
 */
const MAX_VISITS = 20_000_000;

/** `null`: the text is too long for an expression of so many steps. */
export type CompiledRegex = { matches: (text: string) => boolean | null } | { error: string };

/** Compiles an expression in RE2's syntax. @returns what is wrong with it otherwise */
export function compileRegex(pattern: string): CompiledRegex {
  try {
    const steps = new StepList(parseRegex(pattern)).steps;
    return { matches: (text) => isFound(steps, text) };
  } catch (error) {
    if (error instanceof RegexError) return { error: error.message };
    throw error;
  }
}

/** An expression as steps, with its repetitions written out. */
class StepList {
  readonly steps: Step[] = [];
  #parts = 0;

  constructor(node: RegexNode) {
    this.#add(node);
    this.steps.push({ type: "found" });
  }

  #add(node: RegexNode): void {
    this.#parts += 1;
    if (this.steps.length > MAX_STEPS || this.#parts > MAX_PARTS)
      throw new RegexError("It is too long, with its repetitions written out");
    if (node.type === "sequence") for (const one of node.nodes) this.#add(one);
    else if (node.type === "either") this.#addEither(node.nodes);
    else if (node.type === "repeat") this.#addRepeat(node);
    else this.steps.push(node);
  }

  #addEither(nodes: RegexNode[]): void {
    const { steps } = this;
    const starts: number[] = [];
    const ends: number[][] = [];
    steps.push({ type: "go", to: starts });
    for (const node of nodes) {
      starts.push(steps.length);
      this.#add(node);
      const to: number[] = [];
      ends.push(to);
      steps.push({ type: "go", to });
    }
    for (const to of ends) to.push(steps.length);
  }

  #addRepeat({ node, min, max }: Extract<RegexNode, { type: "repeat" }>): void {
    const { steps } = this;
    for (let count = 0; count < min; count++) this.#add(node);
    if (max === Infinity) {
      const to = [steps.length + 1];
      const start = steps.push({ type: "go", to }) - 1;
      this.#add(node);
      steps.push({ type: "go", to: [start] });
      to.push(steps.length);
      return;
    }
    const skips: number[][] = [];
    for (let count = min; count < max; count++) {
      const to = [steps.length + 1];
      skips.push(to);
      steps.push({ type: "go", to });
      this.#add(node);
    }
    for (const to of skips) to.push(steps.length);
  }
}

function isFound(steps: Step[], text: string): boolean | null {
  const reached = new ReachedSteps(steps);
  let before = -1;
  for (let index = 0; ;) {
    const after = text.codePointAt(index) ?? -1;
    // A match may begin at every character.
    if (reached.add(0, before, after) || reached.goOn(before, after)) return true;
    if (after === -1) return false;
    if (reached.visits > MAX_VISITS) return null;
    reached.take(after);
    before = after;
    index += after > 0xff_ff ? 2 : 1;
  }
}

/** The steps that follow without a character. */
function nextOf(step: Step | undefined, number: number, before: number, after: number): number[] {
  if (step?.type === "go") return step.to;
  return step?.type === "place" && step.test(before, after) ? [number + 1] : [];
}

/** The steps that have been reached at a place of the text. Each is visited once at every place. */
class ReachedSteps {
  readonly #steps: Step[];
  /** At which place each step was visited last. */
  readonly #visited: Uint32Array;
  #place = 1;
  /** How many steps were looked at, at all places. */
  visits = 0;
  /** The steps that wait for the next character. */
  #waiting: number[] = [];
  /** The steps after a character that was taken. */
  #taken: number[] = [];

  constructor(steps: Step[]) {
    this.#steps = steps;
    this.#visited = new Uint32Array(steps.length);
  }

  /** Follows everything that the last character has reached. @returns whether the end was reached */
  goOn(before: number, after: number): boolean {
    const taken = this.#taken;
    this.#taken = [];
    return taken.some((step) => this.add(step, before, after));
  }

  /** Follows a step to those that need a character. @returns whether the end was reached */
  add(first: number, before: number, after: number): boolean {
    const open = [first];
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      if (this.#visited[number] === this.#place) continue;
      this.#visited[number] = this.#place;
      this.visits += 1;
      const step = this.#steps[number];
      if (step?.type === "found") return true;
      if (step?.type === "character") this.#waiting.push(number);
      else open.push(...nextOf(step, number, before, after));
    }
    return false;
  }

  /** Takes a character: those steps go on that it fits. */
  take(code: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#place += 1;
    for (const number of waiting) {
      const step = this.#steps[number];
      if (step?.type === "character" && step.test(code)) this.#taken.push(number + 1);
    }
  }
}
