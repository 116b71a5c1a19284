/**
 * The texts so far of a turn's running replies. They are saved now and then, so that an object that stops loses little of
 * them: together, because each save is a commit.
 *
 * Events do not belong here: that is `turn-runner.ts`. Effects: a timer, and the given function saves.
 */

/** Texts are saved so many milliseconds after the first of them that is not saved, or earlier after so many characters. */
const SAVE_INTERVAL_MS = 5_000;
const SAVE_INTERVAL_CHARACTERS = 16_384;

export class Drafts {
  readonly #texts = new Map<string, string>();
  readonly #save: (texts: ReadonlyMap<string, string>) => void;
  #unsavedCharacters = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param save saves the texts of all running replies, by chat */
  constructor(save: (texts: ReadonlyMap<string, string>) => void) {
    this.#save = save;
  }

  /** The texts of the running replies, by chat. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  start(chatId: string): void {
    this.#texts.set(chatId, "");
  }

  /** @returns the characters before the added text; `null` if the chat has no running reply */
  add(chatId: string, text: string): number | null {
    const before = this.#texts.get(chatId);
    if (before === undefined) return null;
    this.#texts.set(chatId, before + text);
    this.#unsavedCharacters += text.length;
    if (this.#unsavedCharacters >= SAVE_INTERVAL_CHARACTERS) this.#saveAll();
    else this.#timer ??= setTimeout(() => this.#saveAll(), SAVE_INTERVAL_MS);
    return before.length;
  }

  /** The reply has ended. The log keeps its whole text. */
  end(chatId: string): void {
    this.#texts.delete(chatId);
  }

  /** The turn has ended: nothing more is saved. */
  close(): void {
    this.#texts.clear();
    this.#stopTimer();
  }

  #saveAll(): void {
    this.#stopTimer();
    this.#unsavedCharacters = 0;
    if (this.#texts.size > 0) this.#save(this.#texts);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
