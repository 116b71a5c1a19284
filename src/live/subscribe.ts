/**
 * Opens subscriptions to a session or a turn, by event stream or socket: checks the limit of subscribers, replays what
 * was missed, and ends the subscription with the session.
 *
 * Sending events to open subscriptions does not belong here: that is `streaming/subscribers.ts`. Effects: the log, D1
 * for an ended session, streams and sockets.
 */
import { canSee } from "../core/caller.ts";
import type { Caller } from "../core/caller.ts";
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Session } from "../core/session.ts";
import { hasEnded } from "../core/session.ts";
import type { LogStore } from "../store/archive/bucket.ts";
import { logPage } from "../store/session-log.ts";
import type { Log } from "./log/log.ts";
import type { ReplayStreamParams, TurnStream, VariantStreamParams } from "./session-results.ts";
import type { SessionRoom } from "./session-room.ts";
import { CLOSE_REASONS } from "./streaming/events.ts";
import type { Replay } from "./streaming/event-stream.ts";
import { replayEndedSession, replayTurnOfHuman } from "./streaming/replay.ts";
import type { Subscribers } from "./streaming/subscribers.ts";
import type { StreamSubscription, Subscription } from "./streaming/subscription.ts";

/** How many messages at the end of a log are looked at, to find that a client sees none of them. */
const HIDDEN_MESSAGES = 20;

export class Subscriptions {
  readonly #room: SessionRoom;
  readonly #subscribers: Subscribers;
  readonly #store: LogStore;
  readonly #log: Log;

  constructor(room: SessionRoom, subscribers: Subscribers, store: LogStore, log: Log) {
    this.#room = room;
    this.#subscribers = subscribers;
    this.#store = store;
    this.#log = log;
  }

  /**
   * @returns the session's events as server-sent events, until the session ends or the reader disconnects; `null` for a
   * reader who comes back and has everything of an ended session
   */
  openStream({
    caller,
    after,
    readerId = crypto.randomUUID(),
    isReturning = false,
  }: StreamSubscription): Promise<Outcome<ReadableStream<Uint8Array> | null>> {
    const subscribers = this.#subscribers;
    return subscribers.callForReader(readerId, async () => {
      const session = await this.#loadForSubscriber(caller);
      if (!session) return notFound("session");
      if (isReturning && (await this.#isAtEnd(session, caller, after ?? 0))) return success(null);
      const isAccepted = () => !subscribers.isFull && subscribers.hasRoomFor(caller);
      // Before a page is read for an ended session, and again after it.
      if (!isAccepted()) return failed({ reason: "too-many-subscribers" });
      const endedReplay = await this.#replayIfEnded(session, after);
      // Checked without an await before the stream counts, so that streams that open at the same time cannot all pass.
      if (!isAccepted()) return failed({ reason: "too-many-subscribers" });
      const stream = subscribers.openStream(readerId, { turnId: null, caller, role: caller.role });
      const caughtUp = subscribers.catchUp(stream, endedReplay ?? this.#room.replay(after));
      const breakOff = () => stream.abort("The log could not be read");
      if (endedReplay || hasEnded(session)) caughtUp.then(() => stream.close(CLOSE_REASONS.ended), breakOff);
      return success(stream.readable);
    });
  }

  /** @returns 101 with the socket, 404 if the session does not exist, 429 if it or the caller has too many subscriptions */
  async openSocket({ caller, after }: Subscription, scheduleAlarm: (at: number) => Promise<void>): Promise<Response> {
    const { sockets } = this.#subscribers;
    const session = await this.#loadForSubscriber();
    if (!session) return new Response(null, { status: 404 });
    const endedReplay = await this.#replayIfEnded(session, after);
    // Checked without an await before the socket counts, so that sockets that open at the same time cannot all pass.
    if (this.#subscribers.isFull || !sockets.hasRoomFor(caller)) return new Response(null, { status: 429 });
    const { client, socket } = sockets.accept(caller);
    const caughtUp = sockets.catchUp(socket, endedReplay ?? this.#room.replay(after));
    const breakOff = () => sockets.close(socket, CLOSE_REASONS.unreadable);
    if (endedReplay || hasEnded(session)) caughtUp.then(() => sockets.close(socket, CLOSE_REASONS.ended), breakOff);
    else if (caller.expiresAt !== null) await scheduleAlarm(caller.expiresAt);
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Accepts a prompt.
   *
   * @returns the events of its turn, once the turn starts; `too-many-subscribers` for a repeated call to a full session
   */
  openTurnStream({
    question,
    key,
    readerId = crypto.randomUUID(),
    role = null,
    replyOnly = false,
  }: VariantStreamParams): Promise<Outcome<TurnStream>> {
    const subscribers = this.#subscribers;
    return subscribers.callForReader(readerId, async () => {
      const accepted = await this.#room.submitPrompt(question, key);
      if (!accepted.ok) return accepted;
      const { turnId, submitted, replayed } = accepted.value;
      if (replayed && (await this.#isFull())) return failed({ reason: "too-many-subscribers" });
      const stream = subscribers.openStream(readerId, { turnId, caller: null, role, replyOnly });
      const end = () => stream.end();
      const endWith = (replay: Replay) => void subscribers.catchUp(stream, replay).then(end);
      if (!submitted) {
        const isLeft = accepted.value.leftSeq !== undefined;
        endWith(isLeft ? this.#room.replayPrompt(accepted.value) : this.#room.replayTurn(turnId));
        return success({ turnId, events: stream.readable, replayed });
      }
      const isRunning = this.#log.state?.turn?.turnId === turnId;
      if (isRunning) void subscribers.catchUp(stream, this.#room.replayTurn(turnId));
      submitted.finished.then((outcome) => {
        if (outcome.ok && outcome.value.leftAgain) endWith(replayTurnOfHuman(turnId, outcome.value.added, "chatbot"));
        else end();
      }, end);
      const started = await submitted.started;
      if (started.ok) return success({ turnId, events: stream.readable, replayed });
      stream.abort("The turn has not begun");
      return started;
    });
  }

  /**
   * Starts a replay of the recorded conversation, or joins it.
   *
   * @returns the session's events until the turns of the call were put
   */
  openReplayStream({
    range,
    readerId = crypto.randomUUID(),
  }: ReplayStreamParams): Promise<Outcome<ReadableStream<Uint8Array>>> {
    const subscribers = this.#subscribers;
    return subscribers.callForReader(readerId, async () => {
      if (await this.#isFull()) return failed({ reason: "too-many-subscribers" });
      const started = await this.#room.replays.start(range);
      if (!started.ok) return started;
      const { finished } = started.value;
      const stream = subscribers.openStream(readerId, { turnId: null, caller: null, role: null });
      const turnId = this.#log.state?.turn?.turnId;
      const caughtUp = turnId === undefined ? null : subscribers.catchUp(stream, this.#room.replayTurn(turnId));
      const end = () => stream.end();
      void finished.then(() => caughtUp).then(end, () => stream.abort("The replay broke off"));
      return success(stream.readable);
    });
  }

  /** Ends the event stream of a reader that has disconnected. The turn continues. */
  closeReader(readerId: string): void {
    this.#subscribers.closeReader(readerId);
  }

  /** For whoever repeats a call: it joins the turn, as a follower of the session. */
  async #isFull(): Promise<boolean> {
    await this.#subscribers.removeLostReaders();
    return this.#subscribers.isFull;
  }

  /** @param caller who opens an event stream */
  async #loadForSubscriber(caller: Caller | null = null): Promise<Session | null> {
    await this.#subscribers.removeLostReaders(caller);
    // Loaded after the wait, because the session can end during it.
    return this.#room.load();
  }

  /** Whether the session has ended, and no message after a `seq` is for this caller. */
  async #isAtEnd(session: Session, caller: Caller, after: number): Promise<boolean> {
    if (!hasEnded(session)) return false;
    if (after >= session.lastSeq) return true;
    const range = { after, limit: HIDDEN_MESSAGES, form: "short" } as const;
    const { items, hasMore } = this.#log.state
      ? this.#log.messages(after, HIDDEN_MESSAGES, "short")
      : await logPage(this.#store, session, range);
    return !hasMore && items.every(({ role }) => !canSee(caller, role));
  }

  /** The replay of an ended session that is not loaded; `null` for a loaded session. */
  async #replayIfEnded(session: Session, after: number | null): Promise<Replay | null> {
    return this.#log.state ? null : replayEndedSession(this.#store, session, after);
  }
}
