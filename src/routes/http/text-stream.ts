/** How much text is gathered before it is sent, in UTF-16 code units. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Text as a stream of UTF-8, made only as fast as it is read. When the text breaks off in an error the stream does too,
 * so that nobody takes what came for the whole.
 *
 * @param broken told of that error
 */
export function textStream(
  pieces: AsyncGenerator<string, void>,
  broken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    let text = "";
    let ended = false;
    while (!ended && text.length < CHUNK_CHARACTERS) {
      const piece = await pieces.next();
      if (piece.done) ended = true;
      else text += piece.value;
    }
    if (text !== "") controller.enqueue(encoder.encode(text));
    if (ended) controller.close();
  };
  return new ReadableStream(
    {
      pull: (controller) =>
        pull(controller).catch((error: unknown) => {
          broken(error);
          controller.error(error);
        }),
      cancel: async () => void (await pieces.return()),
    },
    { highWaterMark: 0 },
  );
}
