/**
 * One event stream of a session: replays what its reader missed, then sends live events, until it closes. The session
 * never waits for a reader. A reader that is too slow is disconnected, and can resume where it was.
 *
 * Which streams a session has does not belong here: that is `subscribers.ts`. Effects: writes to its stream, and the
 * clock.
 */
import type { Caller, CallerRole } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import { CLOSE_REASONS, eventFor, isOfReply, presentEvent, serverSentEvent } from "./events.ts";
import type { CloseReason, PresentSession, SessionEvent } from "./events.ts";
import { MAX_UNREAD_BYTES } from "./unread-events.ts";

/** How much of a replay is written at once, in characters as sent, unless a single event has more. */
const REPLAY_CHARACTERS = 65_536;

/** How much of a replay is sent before other calls run. A short log is sent at once, and the stream is live. */
const BYTES_BETWEEN_WAITS = 65_536;

/** How long a reader may take nothing of what waits for it, in milliseconds. */
const MAX_SILENCE_MS = 60_000;

/** How often a replay that has no room asks again, in milliseconds. */
const ROOM_MS = 50;

/** The most bytes that are joined to one write: each stream has a copy of them, while an event is in memory once for all. */
const MAX_JOINED_BYTES = 4_096;

const encoder = new TextEncoder();

/**
 * Earlier events of a session: page by page, as fast as the reader reads, and then, as the return value, the rest. Wait for
 * a page before you ask for the next.
 */
export type Replay = Generator<SessionEvent[] | Promise<SessionEvent[]>, SessionEvent[]>;

/** Who reads a stream, and what. */
export interface StreamReader {
  /** The only turn to send, until it ends; `null` for the whole session. */
  turnId: string | null;
  /** The subscriber; `null` for the stream of a prompt, which ends with its turn. */
  caller: Caller | null;
  role: CallerRole | null;
  /** Whether to send only what is of the reply. */
  replyOnly?: boolean;
}

/** The stream of one reader. Its reader gets server-sent events. */
export class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly caller: Caller | null;
  readonly role: CallerRole | null;
  readonly #turnId: string | null;
  readonly #replyOnly: boolean;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #onClose: (stream: EventStream) => void;
  #pendingBytes = 0;
  #pendingReplayBytes = 0;
  #waitingSince: EpochMs | null = null;
  #gathered: Uint8Array[] = [];
  #flushed: Promise<void> | null = null;
  #isLive = true;
  /** Whether its last event was sent. */
  #isEnding = false;
  #isClosed = false;

  /**
   * @param onClose called once, when the stream has closed
   */
  constructor({ turnId, caller, role, replyOnly = false }: StreamReader, onClose: (stream: EventStream) => void) {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#turnId = turnId;
    this.#replyOnly = replyOnly;
    this.caller = caller;
    this.role = role;
    this.#onClose = onClose;
    const finish = () => this.#finish();
    this.#writer.closed.then(finish, finish);
  }

  /**
   * The bytes of a replay that wait for the reader. Each stream has these for itself; an event that happens live is in
   * memory once for all streams.
   */
  get pendingReplayBytes(): number {
    return this.#pendingReplayBytes;
  }

  /** Since when the reader has taken nothing of what waits for it; `null` if nothing waits. */
  get waitingSince(): EpochMs | null {
    return this.#waitingSince;
  }

  /**
   * Sends a replay as fast as the reader reads. Then the stream is live. Stops if the reader disconnects.
   *
   * @param hasRoom whether the next page may be read into memory
   */
  async catchUp(replay: Replay, present: PresentSession, hasRoom = () => true): Promise<void> {
    this.#isLive = false;
    let sinceWait = 0;
    for (let step = replay.next(); ; step = replay.next()) {
      if (step.done) {
        this.#isLive = true;
        for (const text of this.#textsOf(step.value, present)) void this.#writeReplay(text);
        return;
      }
      for (const text of this.#textsOf(await step.value, present)) {
        sinceWait += await this.#writeReplay(text);
        if (this.#isClosed) return;
      }
      if (sinceWait < BYTES_BETWEEN_WAITS) continue;
      sinceWait = 0;
      await this.#waitForRoom(hasRoom);
      if (this.#isClosed) return;
    }
  }

  async #waitForRoom(hasRoom: () => boolean): Promise<void> {
    // Lets other calls of the isolate run: a reader that is always ready leaves them no time.
    await scheduler.wait(0);
    while (!hasRoom() && !this.#isClosed) await scheduler.wait(ROOM_MS);
  }

  /** Events as text, in parts. Escapes can make a text six times as long as the page that it was read with. */
  *#textsOf(events: SessionEvent[], present: PresentSession): Generator<string, void> {
    let text = "";
    for (const event of events) {
      const shown = this.#replyOnly && !isOfReply(event) ? null : eventFor(this.role, event);
      if (shown) text += serverSentEvent(presentEvent(shown, present));
      if (text.length < REPLAY_CHARACTERS) continue;
      yield text;
      text = "";
    }
    yield text;
  }

  /** @returns the number of bytes */
  async #writeReplay(text: string): Promise<number> {
    const bytes = encoder.encode(text);
    this.#pendingReplayBytes += bytes.byteLength;
    await this.#write(bytes);
    this.#pendingReplayBytes -= bytes.byteLength;
    return bytes.byteLength;
  }

  /**
   * A reader that is too slow gets what waits for it, then a last event that says so, and has to resume from the log.
   *
   * @param bytes the text of the event, encoded once for all readers
   */
  send(event: SessionEvent, bytes: Uint8Array): void {
    if (!this.#isLive || this.#isEnding || !this.#includes(event)) return;
    void this.#write(bytes);
    if (this.#turnId !== null && event.type === "turn-ended") this.end();
    else if (this.#pendingBytes > MAX_UNREAD_BYTES) this.#endWith(CLOSE_REASONS.unread);
  }

  /**
   * Sends a comment, so that proxies do not close an idle connection. Closes the stream if its reader has taken nothing
   * for a minute: it holds memory, and in a session without events nothing else would show it.
   */
  sendHeartbeat(): void {
    if (this.#waitingSince !== null && now() - this.#waitingSince >= MAX_SILENCE_MS)
      this.abort("The reader takes nothing");
    else if (this.#isLive && !this.#isEnding) void this.#write(HEARTBEAT);
  }

  /**
   * Closes with a last event that gives the reason. A stream whose replay still runs is aborted: its reader resumes,
   * and gets the reason then.
   */
  close(reason: CloseReason): void {
    if (this.#isEnding) return;
    if (!this.#isLive) this.abort(reason.reason);
    else if (this.#turnId === null) this.#endWith(reason);
    else this.end();
  }

  #endWith({ code, reason }: CloseReason): void {
    void this.#write(encoder.encode(serverSentEvent({ type: "stream-closed", code, reason })));
    this.end();
  }

  /** Closes the stream, once the reader has read what was sent. */
  end(): void {
    this.#isEnding = true;
    void this.#flush();
    void this.#writer.close().catch(ignore);
  }

  /** Closes the stream at once, even if the reader has not read everything. */
  abort(reason: string): void {
    void this.#writer.abort(new Error(reason)).catch(ignore);
    this.#finish();
  }

  #finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose(this);
  }

  #includes(event: SessionEvent): boolean {
    if (this.#replyOnly && !isOfReply(event)) return false;
    return this.#turnId === null || ("turnId" in event && event.turnId === this.#turnId);
  }

  /** Short events of one moment leave together: each write wakes the reader once. */
  #write(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return Promise.resolve();
    this.#pendingBytes += bytes.byteLength;
    this.#waitingSince ??= now();
    this.#gathered.push(bytes);
    this.#flushed ??= Promise.resolve().then(() => this.#flush());
    return this.#flushed;
  }

  async #flush(): Promise<void> {
    const parts = this.#gathered;
    this.#gathered = [];
    this.#flushed = null;
    if (parts.length === 0) return;
    const byteLength = lengthOf(parts);
    const isShort = parts.length > 1 && byteLength <= MAX_JOINED_BYTES;
    const writes = isShort ? [joinBytes(parts, byteLength)] : parts;
    await Promise.all(writes.map((bytes) => this.#writer.write(bytes).catch(ignore)));
    this.#pendingBytes -= byteLength;
    this.#waitingSince = this.#pendingBytes > 0 ? now() : null;
  }
}

const lengthOf = (parts: Uint8Array[]): number => parts.reduce((sum, { byteLength }) => sum + byteLength, 0);

function joinBytes(parts: Uint8Array[], byteLength: number): Uint8Array {
  const joined = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

const HEARTBEAT = encoder.encode(": still here\n\n");

/** The reader has disconnected: `closed` of the writer reports that. */
const ignore = () => undefined;
