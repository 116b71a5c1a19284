/**
 * State between the chunks of a chat completion: which choice is the reply, and which text has already arrived. Reading
 * of chunks is in `chat-completion.ts`. In memory only.
 */
import type { JsonObject } from "../call/json-fields.ts";

/**
 * Selects the choice that is the reply. A single choice is, even if its `index` counts tokens, as in early versions of
 * Text Generation Inference: an index that only increases is a counter, and a repeated index distinguishes choices.
 */
export class ChoiceSelector {
  #hasSeveral: boolean;
  #first: number | null = null;
  #newest = -1;

  /** @param hasSeveral whether several choices were requested */
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

/** Tracks the text so far, for servers that send a `message` instead of a `delta` or in addition to it. */
export class MessageDeltas {
  #receivedText = "";
  #hasDeltas = false;

  /** Adds the text of a delta. */
  add(text: string): string {
    this.#hasDeltas ||= text !== "";
    this.#receivedText += text;
    return text;
  }

  /**
   * Returns the part of a message's text that has not arrived yet. Some servers repeat the whole reply in each message.
   * In addition to deltas, as Perplexity sends it, a message never has new text.
   */
  newText(text: string): string {
    const isRepeat = text.startsWith(this.#receivedText);
    const newText = isRepeat ? text.slice(this.#receivedText.length) : text;
    if (newText === "" || (this.#hasDeltas && !isRepeat)) return "";
    this.#receivedText += newText;
    return newText;
  }
}
