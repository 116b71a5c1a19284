/**
 * Sends a text of any length: as fast as the reader reads it, in chunks, and with an error that the reader notices.
 * What the text says does not belong here. Effects: reads the generator that it gets.
 */
import { CallerLeft } from "../../core/failure.ts";

/** How much text to collect before sending it, in UTF-16 code units. */
const CHUNK_CHARACTERS = 65_536;

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
    let chunk = "";
    let ended = false;
    // Lets other calls of the isolate run: without it, readers that are always ready leave them no time.
    await scheduler.wait(0);
    while (!ended && chunk.length < CHUNK_CHARACTERS) {
      const next = await texts.next();
      if (next.done) ended = true;
      else chunk += next.value;
    }
    if (hasLeft) return;
    if (chunk !== "") controller.enqueue(encoder.encode(chunk));
    if (ended) controller.close();
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
