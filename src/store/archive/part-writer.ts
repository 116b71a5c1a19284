/**
 * Writes an object of R2 whose length is not known before: whole if it is short, and otherwise in parts, of which one is in
 * memory at a time. The object is there when it is finished, and not before. Effects: R2.
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */

/** Size of a part, in bytes. R2 takes none that is smaller, except the last, and all others must have the same size. */
const PART_BYTES = 5 * 1024 * 1024;

export class PartWriter {
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
