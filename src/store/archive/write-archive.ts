/**
 * Writes the log of a session into the archive, part by part: no more than one part is in memory. The bytes that the
 * object has already stay in front of the new ones, so a description of the earlier object stays true. Effects: R2.
 */
import type { LogArchive } from "../../core/log-archive.ts";
import type { Message } from "../../core/message.ts";
import { objectName } from "./bucket.ts";
import { VERSION, firstLine, toLine } from "./lines.ts";
import { PartWriter } from "./part-writer.ts";
import { readRange } from "./read-archive.ts";

/** Size from which a chunk is followed by another one, in bytes. A page reads one or two chunks. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Writes messages after those that the archive has.
 *
 * @param earlier the part of the log that is archived; `null` for none
 * @param pages the messages after it, in order
 * @returns where everything is. An object of that size is there, whole, or an error is thrown.
 */
export async function writeArchive(
  bucket: R2Bucket,
  sessionId: string,
  earlier: LogArchive | null,
  pages: AsyncIterable<Message[]>,
): Promise<LogArchive> {
  const writer = new PartWriter(bucket, objectName(sessionId));
  try {
    await writeStart(writer, bucket, sessionId, earlier);
    const archive = await writeMessages(writer, earlier ?? NOTHING, pages);
    await writer.finish();
    return archive;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

const NOTHING: LogArchive = { version: VERSION, lastSeq: 0, lastTurn: 0, bytes: 0, chunks: [] };

const encoder = new TextEncoder();

async function writeStart(writer: PartWriter, bucket: R2Bucket, sessionId: string, earlier: LogArchive | null) {
  if (!earlier) return writer.write(encoder.encode(firstLine(sessionId)));
  for await (const bytes of await readRange(bucket, sessionId, 0, earlier.bytes)) await writer.write(bytes);
}

async function writeMessages(
  writer: PartWriter,
  { chunks: earlierChunks, ...earlier }: LogArchive,
  pages: AsyncIterable<Message[]>,
): Promise<LogArchive> {
  let { lastSeq, lastTurn } = earlier;
  const chunks = [...earlierChunks];
  for await (const messages of pages) {
    for (const message of messages) {
      const begin = chunks.at(-1)?.[1] ?? -Infinity;
      if (writer.bytes - begin >= CHUNK_BYTES) chunks.push([message.seq, writer.bytes]);
      await writer.write(encoder.encode(toLine(message)));
      lastSeq = message.seq;
      lastTurn = Math.max(lastTurn, message.turnNumber ?? 0);
    }
  }
  return { version: VERSION, lastSeq, lastTurn, bytes: writer.bytes, chunks };
}
