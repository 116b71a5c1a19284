/**
 * The sockets of a session: accepts, reads, sends and closes them, within the limits for frames. Sockets survive the
 * hibernation of their object; only their attachments keep state.
 * https://developers.cloudflare.com/durable-objects/best-practices/websockets/
 *
 * What a frame does does not belong here: that is `frame-commands.ts`. Effects: sockets and the clock.
 */
import type { Caller } from "../../core/caller.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import type { Replay } from "./event-stream.ts";
import { readFrame } from "./client-frames.ts";
import type { ClientFrame } from "./client-frames.ts";
import { CLOSE_REASONS, presentEvent } from "./events.ts";
import type { CloseReason, PresentSession, StreamEvent } from "./events.ts";

/** The largest frame, in bytes. */
const MAX_FRAME_BYTES = 1_048_576;

/** Malformed frames in a row after which the connection is closed. */
const MAX_MALFORMED_FRAMES = 10;

/** The most frames in a window, and the window in milliseconds. */
const MAX_FRAMES = 100;
const FRAMES_WINDOW_MS = 10_000;

/** How much of a replay is sent before other work can run, in characters. */
const REPLAY_CHARACTERS = 1_048_576;

/** State of a socket that is kept across hibernation, at most 16 KiB. */
interface Attachment {
  caller: Caller;
  malformed: number;
}

/** All sockets of a session. Create one per object. */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #present: PresentSession;
  /** Sockets whose replay still runs. They get no live events. */
  readonly #catchingUp = new Set<WebSocket>();
  /** Times of recent frames. Lost in hibernation, but by then they are older than the window. */
  readonly #frameTimes = new WeakMap<WebSocket, EpochMs[]>();

  constructor(ctx: DurableObjectState, present: PresentSession) {
    this.#ctx = ctx;
    this.#present = present;
  }

  /** Accepts a connection. @returns the client's end for the response, and the object's end */
  accept(caller: Caller): { client: WebSocket; socket: WebSocket } {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.#ctx.acceptWebSocket(socket);
    // The runtime answers, so that a heartbeat does not wake the object.
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    // Attached before the first await, because the object can hibernate then.
    socket.serializeAttachment({ caller, malformed: 0 } satisfies Attachment);
    return { client, socket };
  }

  callerOf(socket: WebSocket): Caller {
    return attachmentOf(socket).caller;
  }

  /** Sends a replay. Afterwards the socket gets live events. */
  async catchUp(socket: WebSocket, replay: Replay): Promise<void> {
    this.#catchingUp.add(socket);
    let sent = 0;
    for (let step = replay.next(); ; step = replay.next()) {
      const events = step.done ? step.value : await step.value;
      for (const event of events) sent += sendText(socket, JSON.stringify(presentEvent(event, this.#present)));
      if (step.done || socket.readyState !== WebSocket.OPEN) break;
      if (sent < REPLAY_CHARACTERS) continue;
      sent = 0;
      await scheduler.wait(0);
    }
    this.#catchingUp.delete(socket);
  }

  /** The number of open sockets. */
  get count(): number {
    return this.#ctx.getWebSockets().length;
  }

  /** Sends an event to all sockets whose replay has ended. */
  broadcast(event: StreamEvent): void {
    const text = JSON.stringify(event);
    for (const socket of this.#ctx.getWebSockets()) if (!this.#catchingUp.has(socket)) sendText(socket, text);
  }

  send(socket: WebSocket, event: StreamEvent): void {
    sendText(socket, JSON.stringify(event));
  }

  closeAll(reason: CloseReason): void {
    for (const socket of this.#ctx.getWebSockets()) closeSocket(socket, reason);
  }

  /** Closes sockets whose token has expired. */
  closeExpired(): void {
    for (const socket of this.#ctx.getWebSockets()) {
      if (hasExpired(this.callerOf(socket))) closeSocket(socket, CLOSE_REASONS.expired);
    }
  }

  /** Closes sockets that were opened with an API key. */
  closeByKey(keyId: string): void {
    for (const socket of this.#ctx.getWebSockets()) {
      if (this.callerOf(socket).keyId === keyId) closeSocket(socket, CLOSE_REASONS.revoked);
    }
  }

  /** When the next token expires. `Infinity` if none does. */
  nextExpiry(): EpochMs {
    return Math.min(...this.#ctx.getWebSockets().map((socket) => this.callerOf(socket).expiresAt ?? Infinity));
  }

  /** Reads a frame. `null` for an invalid one, which is answered with a `failure` or closes the connection. */
  read(socket: WebSocket, data: string | ArrayBuffer): ClientFrame | null {
    const attachment = attachmentOf(socket);
    const closeReason = this.#findCloseReason(socket, data, attachment);
    if (closeReason) {
      closeSocket(socket, closeReason);
      return null;
    }
    const read = typeof data === "string" ? readFrame(data) : { problem: "A frame is text", id: null };
    const malformed = "frame" in read ? 0 : attachment.malformed + 1;
    if (malformed !== attachment.malformed) socket.serializeAttachment({ ...attachment, malformed });
    if ("frame" in read) return read.frame;
    this.send(socket, { type: "failure", id: read.id, code: "malformed_frame", message: read.problem });
    if (malformed >= MAX_MALFORMED_FRAMES) closeSocket(socket, CLOSE_REASONS.notFrames);
    return null;
  }

  #findCloseReason(socket: WebSocket, data: string | ArrayBuffer, { caller }: Attachment): CloseReason | null {
    if (hasExpired(caller)) return CLOSE_REASONS.expired;
    if (bytesOf(data) > MAX_FRAME_BYTES) return CLOSE_REASONS.tooLarge;
    const at = now();
    const recent = (this.#frameTimes.get(socket) ?? []).filter((time) => time > at - FRAMES_WINDOW_MS);
    this.#frameTimes.set(socket, [...recent, at]);
    return recent.length >= MAX_FRAMES ? CLOSE_REASONS.tooMany : null;
  }
}

const attachmentOf = (socket: WebSocket): Attachment => socket.deserializeAttachment() as Attachment;

export const hasExpired = ({ expiresAt }: Pick<Caller, "expiresAt">): boolean =>
  expiresAt !== null && expiresAt <= now();

function bytesOf(data: string | ArrayBuffer): number {
  if (typeof data !== "string") return data.byteLength;
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  return data.length * 3 <= MAX_FRAME_BYTES ? data.length : new TextEncoder().encode(data).byteLength;
}

/** @returns the number of characters */
function sendText(socket: WebSocket, text: string): number {
  try {
    socket.send(text);
  } catch {
    // The client has disconnected. The runtime reports that with a close event.
  }
  return text.length;
}

/** Closes a socket in any state. */
export function closeSocket(socket: WebSocket, { code, reason }: { code: number; reason: string }): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/** Codes that must not be sent; RFC 6455, 7.4.1. */
const RESERVED_CODES = new Set([1005, 1006, 1015]);

/** Answers a client's close frame. The runtime does not do it, and without it the client waits until its timeout. */
export const answerClose = (socket: WebSocket, code: number): void =>
  closeSocket(socket, { code: RESERVED_CODES.has(code) ? 1000 : code, reason: "" });
