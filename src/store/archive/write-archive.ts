/**
 * Writes the log of a session into the archive, part by part: no more than one part is in memory. The bytes that the
 * object has already stay in front of the new ones, so a description of the earlier object stays true. Effects: R2.
 */
import type { LogArchive } from "../../core/log-archive.ts";
import type { Message } from "../../core/message.ts";
import { objectName } from "./bucket.ts";
import { VERSION, firstLine, toLine } from "./lines.ts";
import { readRange } from "./read-archive.ts";

/** Size of a part, in bytes. R2 takes none that is smaller, except the last, and all others must have the same size. */
const PART_BYTES = 5 * 1024 * 1024;

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

/** Writes an object of a length that is not known before: whole if it is short, and otherwise in parts. */
class PartWriter {
  readonly #bucket: R2Bucket;
  readonly #name: string;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #upload: R2MultipartUpload | null = null;
  readonly #parts: R2UploadedPart[] = [];
  /** How much was written. */
  bytes = 0;

  constructor(bucket: R2Bucket, name: string) {
    this.#bucket = bucket;
    this.#name = name;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.length;
    let rest = bytes;
    while (this.#waitingBytes + rest.length >= PART_BYTES) {
      const length = PART_BYTES - this.#waitingBytes;
      this.#wait(rest.subarray(0, length));
      await this.#uploadPart();
      rest = rest.subarray(length);
    }
    if (rest.length > 0) this.#wait(rest);
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  async #uploadPart(): Promise<void> {
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#name);
    this.#parts.push(await this.#upload.uploadPart(this.#parts.length + 1, this.#takeWaiting()));
  }

  #takeWaiting(): Uint8Array {
    const joined = new Uint8Array(this.#waitingBytes);
    let position = 0;
    for (const bytes of this.#waiting) {
      joined.set(bytes, position);
      position += bytes.length;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    return joined;
  }

  async finish(): Promise<void> {
    if (!this.#upload) return void (await this.#bucket.put(this.#name, this.#takeWaiting()));
    if (this.#waitingBytes > 0) await this.#uploadPart();
    await this.#upload.complete(this.#parts);
  }

  /** Removes the parts. R2 does it after a week for an upload that nobody ends. */
  async abort(): Promise<void> {
    await this.#upload?.abort().catch(() => undefined);
  }
}
