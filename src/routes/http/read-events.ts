/**
 * Reads the server-sent events of a session's own stream. They have one form, so this takes a fraction of the time of reading
 * those of providers (`net/sse.ts`). Effects: reads and cancels the stream.
 */

const END_OF_EVENT = "\n\n";
const DATA = "\ndata: ";

/**
 * @param take gets the JSON of each event's data. @returns whether to go on
 * @throws if the stream breaks
 */
export async function readOwnEvents(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  take: (event: unknown) => boolean,
): Promise<void> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  const splitter = new EventSplitter();
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
      for (const event of splitter.split(chunk.value)) if (!takeData(event, take)) return;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** An event without data is a heartbeat. */
function takeData(event: string, take: (data: unknown) => boolean): boolean {
  const at = `\n${event}`.indexOf(DATA);
  return at === -1 || take(JSON.parse(event.slice(at + DATA.length - 1)));
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
