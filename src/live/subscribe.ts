/*
 * How someone begins to follow a session, by an event stream or a socket: whether there is room, what of the past is sent,
 * and what ends it. What is sent from then on is the audience's. Reads the log, and D1 for a session that has ended.
 */

import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Session } from "../core/session.ts";
import { hasEnded } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { Database } from "../store/database.ts";
import type { Subscribers } from "./streaming/subscribers.ts";
import type { Subscription, Reading } from "./streaming/subscription.ts";
import { CLOSE_REASONS } from "./streaming/events.ts";
import type { StreamEvent } from "./streaming/events.ts";
import type { Log } from "./log/log.ts";
import { replaySession, replayEndedSession } from "./streaming/replay.ts";
import { closeQuietly } from "./streaming/sockets.ts";

interface SubscriptionPorts {
  db: Database;
  log: Log;
  audience: Subscribers;
  /** The session, taken in from the index database if need be; `null` if there is none. */
  session: () => Promise<Session | null>;
  /** A session, without its messages, in the form that its callers know. */
  present: (session: Session) => Record<string, unknown>;
  /** What was missed of the replies under way. */
  soFar: () => StreamEvent[];
  /** Sets the object's alarm, unless it is set for earlier. */
  wakeBy: (at: EpochMs) => Promise<void>;
}

/** How someone begins to follow a session. */
export class Subscriptions {
  readonly #ports: SubscriptionPorts;

  constructor(ports: SubscriptionPorts) {
    this.#ports = ports;
  }

  /** @returns everything that happens to the session, as server-sent events, until it ends or the reader goes */
  openStream({ caller, after, readerId = crypto.randomUUID() }: Reading): Promise<Outcome<ReadableStream<Uint8Array>>> {
    const { audience, db, log, present } = this.#ports;
    return audience.receive(readerId, async () => {
      const session = await this.#roomIn();
      if (!session) return notFound("session");
      if (audience.isFull) return failed({ reason: "too-many-subscribers" });
      const past = log.state ? null : await replayEndedSession(db, session, present, after);
      const stream = audience.openStream(readerId, null, caller);
      const replaying = stream.catchUp(past ?? this.#replay(after));
      if (past || hasEnded(session)) void replaying.then(() => stream.close(CLOSE_REASONS.ended));
      return success(stream.readable);
    });
  }

  /** @returns 101 with the socket, 404 for a session that is not there, 429 for one that too many follow */
  async openSocket({ caller, after }: Subscription): Promise<Response> {
    const { audience, db, log, present, wakeBy } = this.#ports;
    const session = await this.#roomIn();
    if (!session || audience.isFull) return new Response(null, { status: session ? 429 : 404 });
    const past = log.state ? null : await replayEndedSession(db, session, present, after);
    const { client, socket } = audience.sockets.accept(caller);
    const replaying = audience.sockets.catchUp(socket, past ?? this.#replay(after));
    if (past || hasEnded(session)) void replaying.then(() => closeQuietly(socket, CLOSE_REASONS.ended));
    else if (caller.expiresAt !== null) await wakeBy(caller.expiresAt);
    return new Response(null, { status: 101, webSocket: client });
  }

  async #roomIn(): Promise<Session | null> {
    await this.#ports.audience.makeRoom();
    // Behind the wait, in which the session may have ended.
    return this.#ports.session();
  }

  /** What a new follower is told of a session that lives here. Begin it in the tick in which it is made. */
  #replay(after: number | null) {
    const { log, present, soFar } = this.#ports;
    return replaySession(log, present, after, soFar);
  }
}
