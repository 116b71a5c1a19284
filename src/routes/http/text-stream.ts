/**
 * Sends a text of any length: as fast as the reader reads it, in chunks, and with an error that the reader notices.
 * What the text says does not belong here. Effects: reads the generator that it gets.
 */
import { CallerLeft } from "../../core/failure.ts";

/** How much text to collect before sending it, in UTF-16 code units. */
const CHUNK_CHARACTERS = 65_536;

/** A text of this length is sent by itself: the engine copies texts that were joined once more. In UTF-16 code units. */
export const LONG_CHARACTERS = 16_384;

/**
 * Text as a stream of UTF-8 that is produced only as fast as it is read. When `texts` throws, the stream fails too, so
 * that nobody takes an incomplete text for a complete one. When the reader leaves, no further text is asked for.
 *
 * @param onError gets that error
 * @param onCancel called when the reader leaves: a text that is being made may take long
 */
export function textStream(
  texts: AsyncGenerator<string, void>,
  onError: (error: unknown) => void,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let hasLeft = false;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    // Lets other calls of the isolate run: without it, readers that are always ready leave them no time.
    await scheduler.wait(0);
    const ended = await sendChunk(texts, (text) => {
      if (text !== "" && !hasLeft) controller.enqueue(encoder.encode(text));
    });
    if (ended && !hasLeft) controller.close();
  };
  return new ReadableStream(
    {
      pull: (controller) =>
        pull(controller).catch((error: unknown) => {
          if (!hasLeft && !(error instanceof CallerLeft)) onError(error);
          controller.error(error);
        }),
      cancel: () => {
        hasLeft = true;
        onCancel();
        // It waits for the text that is being made, which may fail because the reader has left.
        texts.return().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** @returns whether that was the end */
async function sendChunk(texts: AsyncGenerator<string, void>, send: (text: string) => void): Promise<boolean> {
  let chunk = "";
  for (let collected = 0; collected < CHUNK_CHARACTERS;) {
    const next = await texts.next();
    if (next.done) {
      send(chunk);
      return true;
    }
    collected += next.value.length;
    if (next.value.length < LONG_CHARACTERS) {
      chunk += next.value;
      continue;
    }
    send(chunk);
    send(next.value);
    chunk = "";
  }
  send(chunk);
  return false;
}
