/**
 * What has to be remembered from chunk to chunk of a chat completion: which choice is the reply, and what was said already.
 */
import type { JsonObject } from "../call/json-fields.ts";

/**
 * Tells which choice of a chunk is the reply. One that is alone is, even if its `index` counts tokens, as early versions of
 * Text Generation Inference have it: an index that only grows counts, and one that comes again tells choices apart.
 */
export class ChoiceSelector {
  #hasSeveral: boolean;
  #first: number | null = null;
  #newest = -1;

  /** @param hasSeveral whether more than one was asked for */
  constructor(hasSeveral: boolean) {
    this.#hasSeveral = hasSeveral;
  }

  pick(choices: JsonObject[]): JsonObject | null {
    if (choices.length > 1 || this.#hasSeveral) return choices.find(({ index }) => !index) ?? null;
    const [choice] = choices;
    return choice && this.#isReply(Number(choice["index"] ?? 0)) ? choice : null;
  }

  #isReply(index: number): boolean {
    this.#first ??= index;
    if (index <= this.#newest) this.#hasSeveral = this.#first === 0;
    this.#newest = Math.max(this.#newest, index);
    return !this.#hasSeveral || index === this.#first;
  }
}

/** Keeps what was said, for servers that put a `message` in the place of a `delta` or beside it. */
export class MessageDeltas {
  #receivedText = "";
  #hasDeltas = false;

  /** The text of a delta. */
  add(text: string): string {
    this.#hasDeltas ||= text !== "";
    this.#receivedText += text;
    return text;
  }

  /**
   * What the text of a message says beyond what was said. Some servers repeat the whole reply in each; beside deltas, as
   * Perplexity has it, it never says anything of its own.
   */
  newText(text: string): string {
    const isRepeat = text.startsWith(this.#receivedText);
    const newText = isRepeat ? text.slice(this.#receivedText.length) : text;
    if (newText === "" || (this.#hasDeltas && !isRepeat)) return "";
    this.#receivedText += newText;
    return newText;
  }
}
