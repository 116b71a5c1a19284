import type { Caller } from "../../core/caller.ts";
import { EventStream } from "./event-stream.ts";
import { CLOSE_REASONS, serverSentEvent } from "./events.ts";
import type { CloseReason, StreamEvent } from "./events.ts";
import { Sockets, hasExpired } from "./sockets.ts";

/** How often an idle stream shows that it lives, in milliseconds: proxies take silence for death. */
const HEARTBEAT_MS = 15_000;

/** How many may follow one session: each is told everything, by one thread. */
const MAX_FOLLOWERS = 1_000;

const encoder = new TextEncoder();

/** All who follow a session: each is told everything, in the order of the log, and none waits for another. */
export class Audience {
  readonly sockets: Sockets;
  readonly #streams = new Set<EventStream>();
  #heartbeat: ReturnType<typeof setInterval> | null = null;

  constructor(ctx: DurableObjectState) {
    this.sockets = new Sockets(ctx);
  }

  /** Whether there is no room for one more. */
  get isFull(): boolean {
    return this.#streams.size + this.sockets.count >= MAX_FOLLOWERS;
  }

  /** Whether anyone follows. */
  get listens(): boolean {
    return this.#streams.size > 0 || this.sockets.count > 0;
  }

  /** Tells everyone. Made into text once, however many listen. */
  tell(event: StreamEvent): void {
    if (!this.listens) return;
    this.sockets.tell(event);
    if (this.#streams.size === 0) return;
    const bytes = encoder.encode(serverSentEvent(event));
    for (const stream of this.#streams) stream.send(event, bytes);
  }

  /** Opens a stream of events. @param turnId the one turn that it follows, to its end; `null` for the whole session */
  openStream(turnId: string | null, caller: Caller | null): EventStream {
    const stream = new EventStream(turnId, caller, (over) => this.#remove(over));
    this.#streams.add(stream);
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS);
    return stream;
  }

  closeAll(reason: CloseReason): void {
    this.sockets.closeAll(reason);
    for (const stream of this.#streams) stream.close(reason);
  }

  /** Closes what is open by an API key. */
  dismiss(keyId: string): void {
    this.sockets.dismiss(keyId);
    for (const stream of this.#streams) if (stream.caller?.keyId === keyId) stream.close(CLOSE_REASONS.revoked);
  }

  #beat(): void {
    for (const stream of this.#streams) {
      if (stream.caller && hasExpired(stream.caller)) stream.close(CLOSE_REASONS.expired);
      else stream.beat();
    }
  }

  #remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0 || this.#heartbeat === null) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }
}
