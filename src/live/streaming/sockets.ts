/**
 * The sockets of a session: accepts, reads, sends and closes them, within the limits for frames and for unread events.
 * Sockets survive the hibernation of their object; only their attachments keep state.
 * https://developers.cloudflare.com/durable-objects/best-practices/websockets/
 *
 * `close` of a socket only sends a Close frame. Until the client answers it, the runtime still lists the socket and
 * delivers its frames, so a socket that was asked to close is marked, and treated as if it were gone.
 *
 * What a frame does does not belong here: that is `frame-commands.ts`. How much is unread: `unread-events.ts`. Effects:
 * sockets and the clock.
 */
import { subscriberId } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import type { Replay } from "./event-stream.ts";
import { readFrame } from "./client-frames.ts";
import type { ClientFrame } from "./client-frames.ts";
import { CLOSE_REASONS, eventFor, presentEvent } from "./events.ts";
import type { CloseReason, PresentSession, SessionEvent, StreamEvent } from "./events.ts";
import { MAX_UNREAD_BYTES, MAX_UNREAD_BYTES_OF_ALL, isTooMuch, laggards } from "./unread-events.ts";
import type { UnreadEvents } from "./unread-events.ts";

/** The largest frame, in bytes. */
const MAX_FRAME_BYTES = 1_048_576;

/** Malformed frames in a row after which the connection is closed. */
const MAX_MALFORMED_FRAMES = 10;

/** The most frames in a window, and the window in milliseconds. */
const MAX_FRAMES = 100;
const FRAMES_WINDOW_MS = 10_000;

/** The most open sockets of one caller. */
const MAX_SOCKETS_OF_CALLER = 20;

/** How much of a replay is sent before other work can run, in bytes. */
const REPLAY_BYTES = 1_048_576;

/** State of a socket that is kept across hibernation, at most 16 KiB. */
interface Attachment {
  caller: Caller;
  malformed: number;
  /** Set once the socket was asked to close. */
  isClosing?: true;
}

/** State of a socket in memory. Hibernation loses it, except for the attachment. */
interface SocketState extends UnreadEvents {
  socket: WebSocket;
  attachment: Attachment;
  /** When the client last sent a heartbeat that counted as a sign of life. */
  heartbeatAt: EpochMs;
  /** Times of recent frames. After hibernation they are older than the window. */
  frameTimes: EpochMs[];
  /** Whether its replay still runs. It gets no live events then. */
  isCatchingUp: boolean;
}

const encoder = new TextEncoder();

/** All sockets of a session. Create one per object. */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #present: PresentSession;
  readonly #states = new WeakMap<WebSocket, SocketState>();

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

  /**
   * Whether a caller may open one more socket. Not while too much is unread: then the sockets with the most to read are
   * disconnected, and a later try succeeds.
   */
  hasRoomFor(caller: Pick<Caller, "id">): boolean {
    const isOwn = (socket: WebSocket) => subscriberId(this.callerOf(socket)) === subscriberId(caller);
    if (this.#open().filter(isOwn).length >= MAX_SOCKETS_OF_CALLER) return false;
    if (!this.#isTooMuchUnread) return true;
    this.#disconnectLaggards(MAX_UNREAD_BYTES_OF_ALL - MAX_UNREAD_BYTES);
    return !this.#isTooMuchUnread;
  }

  callerOf(socket: WebSocket): Caller {
    return this.#stateOf(socket).attachment.caller;
  }

  /**
   * Sends a replay. Afterwards the socket gets live events. A client that would have too much to read is disconnected
   * after some messages, and gets the next ones when it comes back: nothing else shows that it reads.
   */
  async catchUp(socket: WebSocket, replay: Replay): Promise<void> {
    const state = this.#stateOf(socket);
    state.isCatchingUp = true;
    let sent = 0;
    for (let step = replay.next(); ; step = replay.next()) {
      const events = step.done ? step.value : await step.value;
      for (const event of events) sent += this.#sendReplayed(socket, event);
      if (!step.done && this.#isTooMuchUnread) this.close(socket, CLOSE_REASONS.unread);
      if (step.done || !this.#isOpen(socket)) break;
      if (sent < REPLAY_BYTES) continue;
      sent = 0;
      await scheduler.wait(0);
    }
    state.isCatchingUp = false;
  }

  /** The number of open sockets. */
  get count(): number {
    return this.#open().length;
  }

  /**
   * Sends an event to all sockets whose replay has ended.
   *
   * @param forClients the event for callers of role `client`; `null` to send them none
   */
  broadcast(event: StreamEvent, forClients: StreamEvent | null): void {
    const text = JSON.stringify(event);
    const { byteLength } = encoder.encode(text);
    const clientText = forClients === event ? text : forClients && JSON.stringify(forClients);
    const clientBytes = clientText === text ? byteLength : encoder.encode(clientText ?? "").byteLength;
    for (const socket of this.#open()) {
      const { isCatchingUp, attachment } = this.#stateOf(socket);
      if (isCatchingUp) continue;
      if (attachment.caller.role !== "client") this.#send(socket, text, byteLength);
      else if (clientText !== null) this.#send(socket, clientText, clientBytes);
    }
    this.#disconnectLaggards();
  }

  send(socket: WebSocket, event: StreamEvent): void {
    if (!this.#isOpen(socket)) return;
    const text = JSON.stringify(event);
    this.#send(socket, text, encoder.encode(text).byteLength);
    this.#disconnectLaggards();
  }

  /** Asks the client to close. From then on the socket gets nothing, and none of its frames has an effect. */
  close(socket: WebSocket, reason: CloseReason): void {
    const state = this.#stateOf(socket);
    if (state.attachment.isClosing) return;
    state.attachment = { ...state.attachment, isClosing: true };
    state.closedAt = now();
    socket.serializeAttachment(state.attachment);
    closeSocket(socket, reason);
  }

  closeAll(reason: CloseReason): void {
    for (const socket of this.#open()) this.close(socket, reason);
  }

  /** Closes sockets whose token has expired. */
  closeExpired(): void {
    for (const socket of this.#open()) if (hasExpired(this.callerOf(socket))) this.close(socket, CLOSE_REASONS.expired);
  }

  /** Closes the sockets of some callers, whose tokens were revoked. */
  closeRevoked(isRevoked: (caller: Caller) => boolean): void {
    for (const socket of this.#open()) if (isRevoked(this.callerOf(socket))) this.close(socket, CLOSE_REASONS.revoked);
  }

  /** When the next token expires. `Infinity` if none does. */
  nextExpiry(): EpochMs {
    return Math.min(...this.#open().map((socket) => this.callerOf(socket).expiresAt ?? Infinity));
  }

  /**
   * Reads a frame. `null` for a frame of a socket that is not open, and for an invalid one, which is answered with a
   * `failure` or closes the connection.
   */
  read(socket: WebSocket, data: string | ArrayBuffer): ClientFrame | null {
    if (!this.#isOpen(socket)) return null;
    const state = this.#stateOf(socket);
    const closeReason = findCloseReason(data, state);
    if (closeReason) {
      this.close(socket, closeReason);
      return null;
    }
    countSignOfLife(state);
    const read = typeof data === "string" ? readFrame(data) : { problem: "A frame is text", id: null };
    const malformed = "frame" in read ? 0 : state.attachment.malformed + 1;
    if (malformed !== state.attachment.malformed) {
      state.attachment = { ...state.attachment, malformed };
      socket.serializeAttachment(state.attachment);
    }
    if ("frame" in read) return read.frame;
    this.send(socket, { type: "failure", id: read.id, code: "malformed_frame", message: read.problem });
    if (malformed >= MAX_MALFORMED_FRAMES) this.close(socket, CLOSE_REASONS.notFrames);
    return null;
  }

  /** @returns the number of bytes */
  #sendReplayed(socket: WebSocket, event: SessionEvent): number {
    if (!this.#isOpen(socket)) return 0;
    const shown = eventFor(this.callerOf(socket).role, event);
    if (!shown) return 0;
    const text = JSON.stringify(presentEvent(shown, this.#present));
    const { byteLength } = encoder.encode(text);
    this.#send(socket, text, byteLength);
    const { unreadBytes } = this.#stateOf(socket);
    // After a message, so that each connection of a client makes progress.
    if (event.type === "message-appended" && unreadBytes > MAX_UNREAD_BYTES) this.close(socket, CLOSE_REASONS.unread);
    return byteLength;
  }

  #send(socket: WebSocket, text: string, byteLength: number): void {
    this.#stateOf(socket).unreadBytes += byteLength;
    try {
      socket.send(text);
    } catch {
      // The client has disconnected. The runtime reports that with a close event.
    }
  }

  /** Disconnects the sockets with the most to read. @param maxBytes how much all together may have to read */
  #disconnectLaggards(maxBytes = MAX_UNREAD_BYTES_OF_ALL): void {
    const states = this.#all();
    if (!isTooMuch(states, maxBytes)) return;
    for (const state of states) this.#countHeartbeat(state);
    for (const { socket } of laggards(states, maxBytes, now())) this.close(socket, CLOSE_REASONS.unread);
  }

  /** Looked up only when it matters: the runtime answers heartbeats by itself. */
  #countHeartbeat(state: SocketState): void {
    const at = this.#ctx.getWebSocketAutoResponseTimestamp(state.socket)?.getTime() ?? 0;
    if (at <= state.heartbeatAt) return;
    state.heartbeatAt = at;
    countSignOfLife(state);
  }

  get #isTooMuchUnread(): boolean {
    return isTooMuch(this.#all(), MAX_UNREAD_BYTES_OF_ALL);
  }

  #all(): SocketState[] {
    return this.#ctx.getWebSockets().map((socket) => this.#stateOf(socket));
  }

  #isOpen(socket: WebSocket): boolean {
    return socket.readyState === WebSocket.OPEN && this.#stateOf(socket).attachment.isClosing !== true;
  }

  #open(): WebSocket[] {
    return this.#ctx.getWebSockets().filter((socket) => this.#isOpen(socket));
  }

  #stateOf(socket: WebSocket): SocketState {
    const known = this.#states.get(socket);
    if (known) return known;
    const attachment = socket.deserializeAttachment() as Attachment;
    const closedAt = attachment.isClosing ? 0 : null;
    const memory = { heartbeatAt: now(), frameTimes: [], isCatchingUp: false, unreadBytes: 0, closedAt };
    const state: SocketState = { socket, attachment, ...memory };
    this.#states.set(socket, state);
    return state;
  }
}

/**
 * A frame or a heartbeat does not prove that its sender reads. It is enough for services, which are trusted. Whoever
 * holds a client's token could fill the memory that all sessions share.
 */
function countSignOfLife(state: SocketState): void {
  if (state.attachment.caller.role !== "client") state.unreadBytes = 0;
}

function findCloseReason(data: string | ArrayBuffer, state: SocketState): CloseReason | null {
  if (hasExpired(state.attachment.caller)) return CLOSE_REASONS.expired;
  if (bytesOf(data) > MAX_FRAME_BYTES) return CLOSE_REASONS.tooLarge;
  const at = now();
  const recent = state.frameTimes.filter((time) => time > at - FRAMES_WINDOW_MS);
  state.frameTimes = [...recent, at];
  return recent.length >= MAX_FRAMES ? CLOSE_REASONS.tooMany : null;
}

export const hasExpired = ({ expiresAt }: Pick<Caller, "expiresAt">): boolean =>
  expiresAt !== null && expiresAt <= now();

function bytesOf(data: string | ArrayBuffer): number {
  if (typeof data !== "string") return data.byteLength;
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  return data.length * 3 <= MAX_FRAME_BYTES ? data.length : new TextEncoder().encode(data).byteLength;
}

/** Sends a Close frame, in any state of the socket. */
function closeSocket(socket: WebSocket, { code, reason }: { code: number; reason: string }): void {
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
