/**
 * What has to be remembered from chunk to chunk of a chat completion: which choice is the reply, and what was said already.
 */
import type { JsonObject } from "../call/json-fields.ts";

/**
 * Tells which choice of a chunk is the reply. One that is alone is, even if its `index` counts tokens, as early versions of
 * Text Generation Inference have it: an index that only grows counts, and one that comes again tells choices apart.
 */
export class Choices {
  #isSeveral: boolean;
  #first: number | null = null;
  #newest = -1;

  /** @param isSeveral whether more than one was asked for */
  constructor(isSeveral: boolean) {
    this.#isSeveral = isSeveral;
  }

  pick(choices: JsonObject[]): JsonObject | null {
    if (choices.length > 1 || this.#isSeveral) return choices.find(({ index }) => !index) ?? null;
    const [choice] = choices;
    return choice && this.#isReply(Number(choice["index"] ?? 0)) ? choice : null;
  }

  #isReply(index: number): boolean {
    this.#first ??= index;
    if (index <= this.#newest) this.#isSeveral = this.#first === 0;
    this.#newest = Math.max(this.#newest, index);
    return !this.#isSeveral || index === this.#first;
  }
}

/** Keeps what was said, for servers that put a `message` in the place of a `delta` or beside it. */
export class WholeMessage {
  #said = "";
  #hasDeltas = false;

  /** The text of a delta. */
  add(text: string): string {
    this.#hasDeltas ||= text !== "";
    this.#said += text;
    return text;
  }

  /**
   * What the text of a message says beyond what was said. Some servers repeat the whole reply in each; beside deltas, as
   * Perplexity has it, it never says anything of its own.
   */
  rest(text: string): string {
    const isRepeat = text.startsWith(this.#said);
    const rest = isRepeat ? text.slice(this.#said.length) : text;
    if (rest === "" || (this.#hasDeltas && !isRepeat)) return "";
    this.#said += rest;
    return rest;
  }
}
