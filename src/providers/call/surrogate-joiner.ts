/**
 * Makes the texts of one reply well formed, so that a reply is the same text in its stream, in the log and in an answer:
 * storage and UTF-8 replace half a surrogate pair, while the JSON of an event keeps it. Pure.
 */

const REPLACEMENT = "\u{FFFD}";

/** Takes the texts of one reply in their order. A surrogate pair that is split over two texts stays whole. */
export class SurrogateJoiner {
  /** The first half of a pair, or nothing. */
  #held = "";

  /** @returns the text as far as it is complete; `""` if it is half a pair */
  join(text: string): string {
    const joined = this.#held + text;
    this.#held = "";
    if (joined.isWellFormed()) return joined;
    if (isHighSurrogate(joined.charCodeAt(joined.length - 1))) this.#held = joined.slice(-1);
    return joined.slice(0, joined.length - this.#held.length).toWellFormed();
  }

  /** @returns what stands for half a pair whose other half has not come; `""` if none waits */
  end(): string {
    return this.#held === "" ? "" : REPLACEMENT;
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd8_00 && unit < 0xdc_00;
