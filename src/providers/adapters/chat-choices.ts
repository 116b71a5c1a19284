/**
 * State between the chunks of a chat completion: which choice is the reply, and which text has already arrived. Reading
 * of chunks is in `chat-completion.ts`. In memory only.
 */
import type { JsonObject } from "../call/json-fields.ts";

/**
 * Selects the choice that is the reply: the one with index 0. Early versions of Text Generation Inference count tokens in
 * `index`, from 1: if the first index is another than 0, every choice is the reply.
 */
export class ChoiceSelector {
  #counts: boolean | null = null;

  pick(choices: JsonObject[]): JsonObject | null {
    const [first] = choices;
    if (!first) return null;
    this.#counts ??= choices.length === 1 && indexOf(first) > 0;
    return this.#counts ? first : (choices.find((choice) => indexOf(choice) === 0) ?? null);
  }
}

/** An index that is missing, or no number of a choice, counts as 0. */
function indexOf({ index }: JsonObject): number {
  const number = Number(index ?? 0);
  return number > 0 ? number : 0;
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
