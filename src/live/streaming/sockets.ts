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

/** Malformed frames in a row, the last of which closes the connection. */
const MAX_MALFORMED_FRAMES = 10;

/** How many frames may come in how many milliseconds. */
const MAX_FRAMES = 100;
const FRAMES_WINDOW_MS = 10_000;

/** How much of the past is sent at a time, in characters, before others have their turn. */
const REPLAY_CHARACTERS = 1_048_576;

/** What a socket carries through its object's sleep. Kept small: 16,384 bytes are all there is. */
interface Attachment {
  caller: Caller;
  malformed: number;
}

/**
 * The sockets of a session. They outlast its object's sleep: only what is attached to a socket tells whose it is.
 * https://developers.cloudflare.com/durable-objects/best-practices/websockets/
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #present: PresentSession;
  /** Sockets that are still being sent the past. */
  readonly #catchingUp = new Set<WebSocket>();
  /** When frames came lately. Forgotten in sleep, by when they are not late any more. */
  readonly #frameTimes = new WeakMap<WebSocket, EpochMs[]>();

  constructor(ctx: DurableObjectState, present: PresentSession) {
    this.#ctx = ctx;
    this.#present = present;
  }

  /** Takes in a connection. @returns the end that its client is answered with */
  accept(caller: Caller): { client: WebSocket; socket: WebSocket } {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.#ctx.acceptWebSocket(socket);
    // Answered by the runtime, so that a heartbeat wakes nobody.
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    // Attached before the first await: the object may sleep from then on.
    socket.serializeAttachment({ caller, malformed: 0 } satisfies Attachment);
    return { client, socket };
  }

  callerOf(socket: WebSocket): Caller {
    return attachmentOf(socket).caller;
  }

  /** Sends the past, and what was missed meanwhile; the socket is live from then on. */
  async catchUp(socket: WebSocket, replay: Replay): Promise<void> {
    this.#catchingUp.add(socket);
    let sent = 0;
    for (let step = replay.next(); ; step = replay.next()) {
      for (const event of step.value) sent += sendText(socket, JSON.stringify(presentEvent(event, this.#present)));
      if (step.done || socket.readyState !== WebSocket.OPEN) break;
      if (sent < REPLAY_CHARACTERS) continue;
      sent = 0;
      await scheduler.wait(0);
    }
    this.#catchingUp.delete(socket);
  }

  /** How many there are. */
  get count(): number {
    return this.#ctx.getWebSockets().length;
  }

  /** Sends to all that are live. */
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

  /** Closes those whose token has expired. */
  closeExpired(): void {
    for (const socket of this.#ctx.getWebSockets()) {
      if (hasExpired(this.callerOf(socket))) closeSocket(socket, CLOSE_REASONS.expired);
    }
  }

  /** Closes those of an API key. */
  closeByKey(keyId: string): void {
    for (const socket of this.#ctx.getWebSockets()) {
      if (this.callerOf(socket).keyId === keyId) closeSocket(socket, CLOSE_REASONS.revoked);
    }
  }

  /** When the next token expires; `Infinity` if none does. */
  nextExpiry(): EpochMs {
    return Math.min(...this.#ctx.getWebSockets().map((socket) => this.callerOf(socket).expiresAt ?? Infinity));
  }

  /** What a client says, or `null` for what is none of it: that was answered, or has closed the connection. */
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
  // No character takes more than three bytes.
  return data.length * 3 <= MAX_FRAME_BYTES ? data.length : new TextEncoder().encode(data).byteLength;
}

/** @returns how many characters were sent */
function sendText(socket: WebSocket, text: string): number {
  try {
    socket.send(text);
  } catch {
    // Its client has gone, and the runtime tells so by an event of its own.
  }
  return text.length;
}

/** Closes, whatever state the socket is in. */
export function closeSocket(socket: WebSocket, { code, reason }: { code: number; reason: string }): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/** Codes that are only ever noted, never sent; RFC 6455, 7.4.1. */
const RESERVED_CODES = new Set([1005, 1006, 1015]);

/** Answers a client's close, which the runtime leaves to us: without it the client would wait in vain. */
export const answerClose = (socket: WebSocket, code: number): void =>
  closeSocket(socket, { code: RESERVED_CODES.has(code) ? 1000 : code, reason: "" });
