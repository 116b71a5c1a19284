/**
 * The subscribers of a session: limits their number, sends them events, and removes those that have disconnected.
 *
 * This folder sends events and reads frames: `events.ts` has the formats, `event-stream.ts` and `sockets.ts` the
 * connections, `replay.ts` earlier events, `client-frames.ts` the frames of clients. Who may subscribe does not belong
 * here. Effects: streams, sockets, the heartbeat's timer, the clock. Nothing is stored.
 */
import { subscriberId } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import { EventStream } from "./event-stream.ts";
import type { Replay, StreamReader } from "./event-stream.ts";
import { CLOSE_REASONS, eventFor, presentEvent, serverSentEvent } from "./events.ts";
import type { CloseReason, PresentSession, SessionEvent } from "./events.ts";
import { Sockets, hasExpired } from "./sockets.ts";
import { MAX_UNREAD_BYTES_OF_ALL, stalledReplays } from "./unread-events.ts";

/** How often an idle stream gets a heartbeat, in milliseconds: proxies close idle connections. */
const HEARTBEAT_MS = 15_000;

/** The most subscribers of a session. One thread sends each event to all of them. */
const MAX_SUBSCRIBERS = 1_000;

/** The most event streams of one caller, apart from those of single turns. */
const MAX_STREAMS_OF_CALLER = 20;

/**
 * How a full session finds readers that have disconnected: how often it writes to every stream, and the pause between.
 * Where the platform reports a lost connection only after a write, each proxy on the way takes one more write.
 */
const PROBES = 8;
const PROBE_MS = 250;

/** How long a session that is really full does not repeat this, in milliseconds. */
const PROBE_PAUSE_MS = 2_000;

const encoder = new TextEncoder();

/**
 * All subscribers. Each gets every event, in the order of the log, and none waits for another. Create one per object.
 */
export class Subscribers {
  readonly sockets: Sockets;
  readonly #present: PresentSession;
  readonly #streams = new Set<EventStream>();
  /** Streams by reader id; `null` for a reader whose call still runs and has opened no stream. */
  readonly #readers = new Map<string, EventStream | null>();
  #heartbeat: ReturnType<typeof setInterval> | null = null;
  #probedAt = 0;
  #noProbeBefore = 0;

  constructor(ctx: DurableObjectState, present: PresentSession) {
    this.#present = present;
    this.sockets = new Sockets(ctx, present);
  }

  /** Whether the session accepts no more subscribers. */
  get isFull(): boolean {
    return this.#streams.size + this.sockets.count >= MAX_SUBSCRIBERS;
  }

  /** Whether a caller may open one more event stream: it has not too many, and there is room for what it missed. */
  hasRoomFor(caller: Pick<Caller, "id">): boolean {
    return !this.#hasTooMany(caller) && this.#hasRoomForReplay();
  }

  #hasTooMany(caller: Pick<Caller, "id">): boolean {
    let count = 0;
    for (const stream of this.#streams)
      if (stream.caller && subscriberId(stream.caller) === subscriberId(caller)) count += 1;
    return count >= MAX_STREAMS_OF_CALLER;
  }

  /** Whether a page of a replay may be read. Disconnects readers who take nothing, if what waits for them leaves no room. */
  #hasRoomForReplay(): boolean {
    for (const stream of stalledReplays([...this.#streams], MAX_UNREAD_BYTES_OF_ALL, now()))
      stream.abort("The reader takes nothing");
    let total = 0;
    for (const { pendingReplayBytes } of this.#streams) total += pendingReplayBytes;
    return total < MAX_UNREAD_BYTES_OF_ALL;
  }

  /** Whether there is at least one subscriber. */
  get hasSubscribers(): boolean {
    return this.#streams.size > 0 || this.sockets.count > 0;
  }

  /** Sends an event to all subscribers. It is serialized only once, and once more if clients get another form of it. */
  broadcast(event: SessionEvent): void {
    if (!this.hasSubscribers) return;
    const presented = presentEvent(event, this.#present);
    const shown = eventFor("client", event);
    const forClients = shown === event ? presented : shown && presentEvent(shown, this.#present);
    this.sockets.broadcast(presented, forClients);
    if (this.#streams.size === 0) return;
    const bytes = encoder.encode(serverSentEvent(presented));
    const clientBytes = forClients === presented ? bytes : forClients && encoder.encode(serverSentEvent(forClients));
    for (const stream of this.#streams) {
      const shownBytes = stream.role === "client" ? clientBytes : bytes;
      if (shownBytes) stream.send(event, shownBytes);
    }
  }

  /** Runs a call that can open a stream for a reader. {@link closeReader} works from now on. */
  async callForReader<T>(readerId: string, call: () => Promise<T>): Promise<T> {
    this.#readers.set(readerId, null);
    try {
      return await call();
    } finally {
      if (this.#readers.get(readerId) === null) this.#readers.delete(readerId);
    }
  }

  /**
   * Opens an event stream. It is closed already if its reader has disconnected.
   *
   * @param readerId the reader of a running {@link callForReader}
   */
  openStream(readerId: string, reader: StreamReader): EventStream {
    const stream = new EventStream(reader, (closed) => this.#remove(closed, readerId));
    const isConnected = this.#readers.has(readerId);
    this.#readers.set(readerId, stream);
    this.#streams.add(stream);
    this.#heartbeat ??= setInterval(() => this.#sendHeartbeats(), HEARTBEAT_MS);
    if (!isConnected) stream.abort(READER_DISCONNECTED);
    return stream;
  }

  /** Closes the stream of a reader that has disconnected. */
  closeReader(readerId: string): void {
    const stream = this.#readers.get(readerId);
    this.#readers.delete(readerId);
    stream?.abort(READER_DISCONNECTED);
  }

  /**
   * In a full session, or for a caller with too many streams, writes to all streams, so that those without a reader
   * close. Takes up to 2 seconds.
   */
  async removeLostReaders(caller: Pick<Caller, "id"> | null = null): Promise<void> {
    const isFull = () => this.isFull || (caller !== null && this.#hasTooMany(caller));
    for (let probe = 0; probe < PROBES; probe += 1) {
      if (!isFull() || this.#streams.size === 0 || now() < this.#noProbeBefore) return;
      if (now() >= this.#probedAt + PROBE_MS) {
        this.#probedAt = now();
        this.#sendHeartbeats();
      }
      await scheduler.wait(PROBE_MS);
    }
    if (isFull()) this.#noProbeBefore = now() + PROBE_PAUSE_MS;
  }

  /** Sends a replay to a stream, in the form of its dialect. */
  catchUp(stream: EventStream, replay: Replay): Promise<void> {
    return stream.catchUp(replay, this.#present, () => this.#hasRoomForReplay());
  }

  closeAll(reason: CloseReason): void {
    this.sockets.closeAll(reason);
    for (const stream of this.#streams) stream.close(reason);
  }

  /** Closes the subscriptions of some callers, whose tokens were revoked. */
  closeRevoked(isRevoked: (caller: Caller) => boolean): void {
    this.sockets.closeRevoked(isRevoked);
    for (const stream of this.#streams)
      if (stream.caller && isRevoked(stream.caller)) stream.close(CLOSE_REASONS.revoked);
  }

  #sendHeartbeats(): void {
    for (const stream of this.#streams) {
      if (stream.caller && hasExpired(stream.caller)) stream.close(CLOSE_REASONS.expired);
      else stream.sendHeartbeat();
    }
  }

  #remove(stream: EventStream, readerId: string): void {
    this.#streams.delete(stream);
    this.#readers.delete(readerId);
    if (this.#streams.size > 0 || this.#heartbeat === null) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }
}

/** Why the stream of a disconnected reader is aborted. No reader gets it. */
const READER_DISCONNECTED = "The reader has disconnected";
