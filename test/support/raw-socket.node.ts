/**
 * A WebSocket client by hand (RFC 6455) that behaves as badly as a test needs: it never answers a Close frame, and it can stop
 * reading.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TEXT = 1;
const CLOSE = 8;

/** How long a frame may take to arrive. */
const FRAME_TIMEOUT_MS = 30_000;

export class RawSocket {
  readonly #connection: Socket;
  #received: Buffer = Buffer.alloc(0);
  /** The text frames of the server, parsed. */
  readonly events: { type: string; [field: string]: unknown }[] = [];
  /** The code of the server's Close frame. */
  closeCode: number | null = null;

  constructor(connection: Socket, received: Buffer) {
    this.#connection = connection;
    this.#take(received);
    connection.on("data", (bytes) => this.#take(bytes));
  }

  send(frame: object): void {
    const payload = Buffer.from(JSON.stringify(frame));
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
    const [first = 0, ...more] = length;
    // Frames of a client are masked. A mask of zeros leaves the text as it is.
    this.#connection.write(Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | first, ...more, 0, 0, 0, 0]), payload]));
  }

  stopReading(): void {
    this.#connection.pause();
  }

  drop(): void {
    this.#connection.destroy();
  }

  async until(holds: (socket: this) => boolean): Promise<void> {
    for (let waited = 0; !holds(this); waited += 20) {
      if (waited > FRAME_TIMEOUT_MS) throw new Error(`Not seen in time: ${JSON.stringify(this.events).slice(-500)}`);
      await sleep(20);
    }
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) {
      if (frame.opcode === TEXT) this.events.push(JSON.parse(String(frame.payload)));
      if (frame.opcode === CLOSE) this.closeCode = frame.payload.readUInt16BE(0);
    }
  }

  #nextFrame(): { opcode: number; payload: Buffer } | null {
    const bytes = this.#received;
    // The longest head of a frame. A shorter one is read from behind what has not arrived.
    const head = Buffer.concat([bytes.subarray(0, 10), Buffer.alloc(10)]);
    const short = head.readUInt8(1) & 0x7f;
    let [start, length] = [2, short];
    if (short === 126) [start, length] = [4, head.readUInt16BE(2)];
    if (short === 127) [start, length] = [10, Number(head.readBigUInt64BE(2))];
    if (bytes.length < start || bytes.length < start + length) return null;
    this.#received = bytes.subarray(start + length);
    return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(start, start + length) };
  }
}

/** Opens a socket. @returns it, or the status of an answer that is not 101 */
export function openRawSocket(origin: string, path: string, token: string): Promise<RawSocket | number> {
  const { hostname, port, host } = new URL(origin);
  const head = [
    `GET ${path} HTTP/1.1`,
    `host: ${host}`,
    `authorization: Bearer ${token}`,
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
  ];
  return new Promise((resolve, reject) => {
    const connection = connect(Number(port), hostname, () => connection.write(`${head.join("\r\n")}\r\n\r\n`));
    connection.on("error", reject);
    connection.once("data", (bytes) => {
      const end = bytes.indexOf("\r\n\r\n") + 4;
      const status = Number(String(bytes.subarray(9, 12)));
      resolve(status === 101 ? new RawSocket(connection, bytes.subarray(end)) : status);
    });
  });
}
