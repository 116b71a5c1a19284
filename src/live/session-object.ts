import { DurableObject } from "cloudflare:workers";
import type { Outcome } from "../core/failure.ts";
import { notFound, success } from "../core/failure.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import { amendSession, endSession, hasEnded } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { now } from "../core/time.ts";
import type { Database } from "../store/database.ts";
import { database } from "../store/database.ts";
import { carrySession, deleteSession } from "../store/sessions.ts";
import { Audience } from "./audience.ts";
import type { Replay } from "./event-stream.ts";
import { followingIn } from "./following.ts";
import type { Following } from "./following.ts";
import { CLOSE_REASONS, messageAppended } from "./frames.ts";
import { Log } from "./log.ts";
import { Mirror } from "./mirror.ts";
import { obeyFrame } from "./obey-frame.ts";
import { replayOf, replayOfEnded } from "./replay.ts";
import { Residence } from "./residence.ts";
import { told } from "./running-turn.ts";
import { answerClose, closeQuietly } from "./sockets.ts";
import type { Given, History, Snapshot, TurnTaken } from "./snapshot.ts";
import { interruptedReplies } from "./turn-messages.ts";
import { Turns } from "./turns.ts";

/** How long an answer waits for the index database to follow, in milliseconds. */
const PATIENCE_MS = 250;

/** When a removal that was cut short is taken up again, in milliseconds. */
const REMOVAL_RETRY_MS = 10_000;

/**
 * A session while someone is talking, and its one pen: whatever changes a session, its log or its status after creation
 * goes through here. A thin shell: rules are in `core`, what a turn does is in `turn`.
 */
export abstract class SessionObject extends DurableObject<Env> {
  readonly #db: Database = database(this.env.DB);
  readonly #log = new Log(this.ctx.storage);
  readonly #audience = new Audience(this.ctx);
  readonly #presented = (session: Session) => this.present(session);
  readonly #mirror = new Mirror(this.#log, {
    carry: (session, messages, whole) => carrySession(this.#db, session, messages, whole),
    setAlarm: (at) => void this.ctx.storage.setAlarm(Math.min(at, this.#nextMoment() ?? Infinity)),
    clock: now,
    caughtUp: async () => {
      const state = this.#log.state;
      if (state && hasEnded(state.session)) await this.#log.clear();
    },
  });
  readonly #residence = new Residence({
    db: this.#db,
    log: this.#log,
    id: this.ctx.id.name ?? "",
    changed: (session) => this.#changed(session),
  });
  readonly #turns = new Turns({
    db: this.#db,
    log: this.#log,
    active: () => this.#residence.active(),
    append: (messages) => this.#append(messages),
    tell: (event) => this.#audience.tell(event),
  });

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#closeBrokenTurn();
  }

  /** A session, without its messages, in the form that its callers know. */
  protected abstract present(session: Session): Record<string, unknown>;

  /** The session and its log, or `null` when the index database has all there is to know. */
  async read(): Promise<Snapshot | null> {
    const state = this.#log.state;
    if (!state || state.removed) return null;
    return { session: this.#residence.startIfDue(state.session), messages: this.#log.messages() };
  }

  /** Appends a message. Durable when it returns; refused unless the session is `ACTIVE`. */
  async append(given: Given, history: History): Promise<Outcome<Snapshot>> {
    const active = await this.#residence.active();
    if (!active.ok) return active;
    const { role, content } = given;
    const chatId = active.value.chats[0]?.chatId ?? null;
    const createdAt = given.createdAt ?? now();
    const added = this.#append([{ chatId, turnId: null, role, content, createdAt, reply: null }]);
    return this.#answer(added, history);
  }

  /** Puts a prompt to every chat and waits for the replies. A reply that failed is in the log like any other. */
  async prompt(content: string, history: History): Promise<Outcome<TurnTaken>> {
    const submitted = await this.#submit(content);
    if (!submitted.ok) return submitted;
    const taken = await submitted.value.taken;
    if (!taken.ok) return taken;
    const { added, retryAfterSeconds } = taken.value;
    const snapshot = this.#snapshot(added, history);
    await this.#mirror.settled(PATIENCE_MS);
    return success({ ...snapshot, retryAfterSeconds });
  }

  /** Puts a prompt to every chat. @returns the turn's events as they come, once it begins */
  async promptAndFollow(content: string): Promise<Outcome<ReadableStream<Uint8Array>>> {
    const submitted = await this.#submit(content);
    if (!submitted.ok) return submitted;
    const { turnId, started, taken } = submitted.value;
    const stream = this.#audience.openStream(turnId, null);
    const end = () => stream.end();
    taken.then(end, end);
    const begun = await started;
    return begun.ok ? success(stream.readable) : begun;
  }

  /** @returns everything that happens to the session, as server-sent events, until it ends or the reader goes */
  async follow({ caller, after }: Following): Promise<Outcome<ReadableStream<Uint8Array>>> {
    const session = await this.#residence.takeIn();
    if (!session) return notFound("session");
    const past = this.#log.state ? null : await replayOfEnded(this.#db, session, this.#presented, after);
    const stream = this.#audience.openStream(null, caller.expiresAt);
    const replaying = stream.catchUp(past ?? this.#replay(after));
    if (past || hasEnded(session)) void replaying.then(() => stream.close(CLOSE_REASONS.ended));
    return success(stream.readable);
  }

  /** Stops the turn that runs; what it brought so far is kept. @returns whether there was one */
  async stop(): Promise<Outcome<boolean>> {
    const session = await this.#residence.takeIn();
    return session ? success(this.#turns.stop(null) !== null) : notFound("session");
  }

  /** Stops the turn that runs and those that wait. */
  async cancel(): Promise<Outcome<null>> {
    const session = await this.#residence.takeIn();
    this.#turns.stopAll();
    return session ? success(null) : notFound("session");
  }

  /** Changes what is given of a session. An ended status first stops the turn under way. */
  async amend(changes: SessionChanges, history: History): Promise<Outcome<Snapshot>> {
    const change = () => this.#change((session) => amendSession(session, changes, now()), history);
    const ends = changes.status !== undefined && hasEnded({ status: changes.status });
    return ends ? this.#turns.interrupt(change) : change();
  }

  /** Ends an `ACTIVE` session, first stopping the turn under way. */
  async end(history: History): Promise<Outcome<Snapshot>> {
    return this.#turns.interrupt(() => this.#change((session) => endSession(session, now()), history));
  }

  /** Removes the session, its log and this object's storage. Denied to everyone first, so that nothing slips in. */
  async remove(): Promise<Outcome<null>> {
    return this.#turns.interrupt(() =>
      this.#residence.alone(async () => {
        const session = await this.#residence.takeIn();
        if (!session) return notFound("session");
        if (this.#log.state) this.#log.deny();
        this.#audience.closeAll(CLOSE_REASONS.deleted);
        await this.#finishRemoval(session.id);
        return success(null);
      }),
    );
  }

  /** Takes a `SCHEDULED` session in, to start it when its time comes. */
  async schedule(): Promise<void> {
    await this.#residence.takeIn();
    await this.#wakeInTime();
  }

  /** Carries to the index database what it may not have yet. */
  async catchUp(): Promise<void> {
    if (this.#log.state) await this.#mirror.retry();
  }

  override async alarm(): Promise<void> {
    this.#audience.sockets.closeExpired();
    const state = this.#log.state;
    if (state?.removed) return this.#finishRemoval(state.session.id);
    if (state) {
      this.#residence.startIfDue(state.session);
      await this.#mirror.retry();
    }
    await this.#wakeInTime();
  }

  /** Opens a socket for a caller whom the Worker has let in; everything else comes by RPC. 404 for a session that is not there. */
  override async fetch(request: Request): Promise<Response> {
    const { caller, after } = followingIn(request);
    const session = await this.#residence.takeIn();
    if (!session) return new Response(null, { status: 404 });
    const past = this.#log.state ? null : await replayOfEnded(this.#db, session, this.#presented, after);
    const { client, socket } = this.#audience.sockets.accept(caller);
    const replaying = this.#audience.sockets.catchUp(socket, past ?? this.#replay(after));
    if (past || hasEnded(session)) void replaying.then(() => closeQuietly(socket, CLOSE_REASONS.ended));
    else await this.#wakeInTime();
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, given: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.#audience;
    const frame = sockets.read(socket, given);
    if (!frame) return;
    const answer = await obeyFrame(frame, sockets.callerOf(socket), {
      log: this.#log,
      active: () => this.#residence.active(),
      append: (messages) => this.#append(messages),
      submit: (prompt) => this.#enqueue(prompt),
      stop: (chatId) => this.#turns.stop(chatId),
      tellSender: (event) => sockets.answer(socket, event),
    });
    sockets.answer(socket, answer);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    answerClose(socket, 1011);
  }

  async #submit(content: string) {
    const active = await this.#residence.active();
    return active.ok ? this.#enqueue(content) : active;
  }

  #enqueue(content: string) {
    const submitted = this.#turns.submit(content);
    if (submitted.ok) {
      const over = submitted.value.taken.finally(() => this.#mirror.start());
      // The caller may go away; the turn goes on.
      this.ctx.waitUntil(over);
    }
    return submitted;
  }

  /** What a new follower is told of a session that lives here. Begin it in the tick in which it is made. */
  #replay(after: number | null): Replay {
    return replayOf(this.#log, this.#presented, after, () => this.#turns.soFar());
  }

  async #finishRemoval(id: string): Promise<void> {
    // Whatever comes between, the alarm takes the rest away.
    if (this.#log.state) await this.ctx.storage.setAlarm(now() + REMOVAL_RETRY_MS);
    await deleteSession(this.#db, id);
    await this.#log.clear();
  }

  #closeBrokenTurn(): void {
    const state = this.#log.state;
    if (!state?.turn) return;
    const { turnId } = state.turn;
    this.#append(interruptedReplies(state.session, turnId, this.#log.awaitedChats(), this.#log.drafts(), now()));
    this.#log.noteTurn(null);
    this.#audience.tell({ type: "turn-ended", turnId, status: "error" });
    this.#mirror.start();
  }

  #append(messages: NewMessage[]): Message[] {
    const added = this.#log.append(messages, now());
    if (this.#audience.listens) {
      for (const event of added.flatMap((message) => told(message, messageAppended(message))))
        this.#audience.tell(event);
    }
    const turnId = this.#log.state?.turn?.turnId ?? null;
    // What a turn brings is carried together when the turn is over.
    if (turnId !== null && messages.every((message) => message.turnId === turnId)) this.#mirror.startSoon();
    else this.#mirror.start();
    return added;
  }

  #changed(session: Session): void {
    this.#mirror.start();
    this.#audience.tell({ type: "session-updated", session: this.present(session) });
    if (hasEnded(session)) this.#audience.closeAll(CLOSE_REASONS.ended);
  }

  #snapshot(added: Message[], history: History): Snapshot {
    return { session: this.#log.held.session, messages: history === "whole" ? this.#log.messages() : added };
  }

  /** What was just changed, once the index database has it or has had its time. */
  async #answer(added: Message[], history: History): Promise<Outcome<Snapshot>> {
    const snapshot = this.#snapshot(added, history);
    await this.#mirror.settled(PATIENCE_MS);
    return success(snapshot);
  }

  async #change(change: (session: Session) => Outcome<Session>, history: History): Promise<Outcome<Snapshot>> {
    const changed = await this.#residence.change(change);
    if (!changed.ok) return changed;
    const { session, stored } = changed.value;
    return stored ? success({ session, messages: history === "whole" ? stored : [] }) : this.#answer([], history);
  }

  /** When something is to happen by itself, beside what the mirror has to do. */
  #nextMoment(): EpochMs | null {
    const moments = [this.#log.state?.session.dueAt, this.#audience.sockets.nextExpiry()];
    return moments.reduce<EpochMs | null>((first, at) => (at == null ? first : Math.min(first ?? at, at)), null);
  }

  async #wakeInTime(): Promise<void> {
    const at = this.#nextMoment();
    if (at === null) return;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }
}
