/**
 * Reads the server-sent events of a session's own stream. They have one form, so this takes a fraction of the time of reading
 * those of providers (`net/sse.ts`). Effects: reads and cancels the stream.
 */

const END_OF_EVENT = "\n\n";
const DATA = "\ndata: ";

export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #splitter = new EventSplitter();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /**
   * Waits for events that came together.
   *
   * @returns the JSON of each one's data, none for a heartbeat; `null` at the end
   * @throws if the stream breaks
   */
  async next(): Promise<unknown[] | null> {
    for (let chunk = await this.#reader.read(); !chunk.done; chunk = await this.#reader.read()) {
      const events = this.#splitter.split(chunk.value);
      if (events.length > 0) return events.flatMap(dataOf);
    }
    return null;
  }

  cancel(): void {
    void this.#reader.cancel().catch(() => undefined);
  }
}

/** An event without data is a heartbeat. */
function dataOf(event: string): unknown[] {
  const at = `\n${event}`.indexOf(DATA);
  return at === -1 ? [] : [JSON.parse(event.slice(at + DATA.length - 1))];
}

/** Splits chunks into events. The parts of a long one are joined once, when its end has come. */
class EventSplitter {
  readonly #decoder = new TextDecoder();
  #parts: string[] = [];

  split(chunk: Uint8Array): string[] {
    const text = this.#decoder.decode(chunk, { stream: true });
    const hasEnd = text.includes(END_OF_EVENT) || (text.startsWith("\n") && this.#parts.at(-1)?.endsWith("\n"));
    this.#parts.push(text);
    if (!hasEnd) return [];
    const events = this.#parts.join("").split(END_OF_EVENT);
    this.#parts = [events.pop() ?? ""];
    return events;
  }
}
