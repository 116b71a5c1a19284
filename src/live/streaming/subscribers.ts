/*
 * Who follows a session by an event stream or a socket: how many may, who is told what, who counts no more. Holds streams
 * in memory and runs the heartbeat; nothing of it is stored.
 */

import type { Caller } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import { EventStream } from "./event-stream.ts";
import type { Replay } from "./event-stream.ts";
import { CLOSE_REASONS, presentEvent, serverSentEvent } from "./events.ts";
import type { CloseReason, PresentSession, SessionEvent } from "./events.ts";
import { Sockets, hasExpired } from "./sockets.ts";

/** How often an idle stream shows that it lives, in milliseconds: proxies take silence for death. */
const HEARTBEAT_MS = 15_000;

/** How many may follow one session: each is told everything, by one thread. */
const MAX_SUBSCRIBERS = 1_000;

/**
 * How a full session finds readers who have gone: how often every stream is written to, and how far apart. Where the
 * platform reports a lost connection only when it is written to, each proxy on the way takes one write.
 */
const PROBES = 8;
const PROBE_MS = 250;

/** How long a session that was found to be really full is not probed again, in milliseconds. */
const PROBE_PAUSE_MS = 2_000;

const encoder = new TextEncoder();

/** All who follow a session: each is told everything, in the order of the log, and none waits for another. */
export class Subscribers {
  readonly sockets: Sockets;
  readonly #present: PresentSession;
  readonly #streams = new Set<EventStream>();
  /** Open streams by their readers' ids; `null` for a reader whose call is under way and has opened no stream yet. */
  readonly #readers = new Map<string, EventStream | null>();
  #heartbeat: ReturnType<typeof setInterval> | null = null;
  #probedAt = 0;
  #noProbeBefore = 0;

  constructor(ctx: DurableObjectState, present: PresentSession) {
    this.#present = present;
    this.sockets = new Sockets(ctx, present);
  }

  /** Whether there is no room for one more. */
  get isFull(): boolean {
    return this.#streams.size + this.sockets.count >= MAX_SUBSCRIBERS;
  }

  /** Whether anyone follows. */
  get hasSubscribers(): boolean {
    return this.#streams.size > 0 || this.sockets.count > 0;
  }

  /** Tells everyone. Made into text once, however many listen. */
  broadcast(event: SessionEvent): void {
    if (!this.hasSubscribers) return;
    const dressed = presentEvent(event, this.#present);
    this.sockets.broadcast(dressed);
    if (this.#streams.size === 0) return;
    const bytes = encoder.encode(serverSentEvent(dressed));
    for (const stream of this.#streams) stream.send(event, bytes);
  }

  /** Makes a call that may open a stream for a reader, who may {@link leave} from now on. */
  async receive<T>(readerId: string, call: () => Promise<T>): Promise<T> {
    this.#readers.set(readerId, null);
    try {
      return await call();
    } finally {
      if (this.#readers.get(readerId) === null) this.#readers.delete(readerId);
    }
  }

  /**
   * Opens a stream of events. It is over already if its reader has left.
   *
   * @param readerId of a call that was received
   * @param turnId the one turn that it follows, to its end; `null` for the whole session
   */
  openStream(readerId: string, turnId: string | null, caller: Caller | null): EventStream {
    const stream = new EventStream(turnId, caller, (over) => this.#remove(over, readerId));
    const isHere = this.#readers.has(readerId);
    this.#readers.set(readerId, stream);
    this.#streams.add(stream);
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS);
    if (!isHere) stream.cut(READER_GONE);
    return stream;
  }

  /** Frees a reader's place: the connection to it has ended. */
  leave(readerId: string): void {
    const stream = this.#readers.get(readerId);
    this.#readers.delete(readerId);
    stream?.cut(READER_GONE);
  }

  /** Waits, while there is no room, for streams to turn out to have no reader any more; 2 s at most. */
  async makeRoom(): Promise<void> {
    for (let probe = 0; probe < PROBES; probe += 1) {
      if (!this.isFull || this.#streams.size === 0 || now() < this.#noProbeBefore) return;
      if (now() >= this.#probedAt + PROBE_MS) {
        this.#probedAt = now();
        this.#beat();
      }
      await scheduler.wait(PROBE_MS);
    }
    if (this.isFull) this.#noProbeBefore = now() + PROBE_PAUSE_MS;
  }

  /** Sends a stream what it has missed, in its dialect's form. */
  catchUp(stream: EventStream, replay: Replay): Promise<void> {
    return stream.catchUp(replay, this.#present);
  }

  closeAll(reason: CloseReason): void {
    this.sockets.closeAll(reason);
    for (const stream of this.#streams) stream.close(reason);
  }

  /** Closes what is open by an API key. */
  closeByKey(keyId: string): void {
    this.sockets.closeByKey(keyId);
    for (const stream of this.#streams) if (stream.caller?.keyId === keyId) stream.close(CLOSE_REASONS.revoked);
  }

  #beat(): void {
    for (const stream of this.#streams) {
      if (stream.caller && hasExpired(stream.caller)) stream.close(CLOSE_REASONS.expired);
      else stream.beat();
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

/** Why a stream is cut whose reader has gone; nobody hears it. */
const READER_GONE = "The reader has gone";
