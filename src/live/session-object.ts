import { DurableObject } from "cloudflare:workers";
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { Batch } from "../core/page.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import { amendSession, endSession, hasEnded } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { now } from "../core/time.ts";
import type { Database } from "../store/database.ts";
import { database } from "../store/database.ts";
import { deleteSession } from "../store/sessions.ts";
import { Subscribers } from "./streaming/subscribers.ts";
import { subscriptionOf } from "./streaming/subscription.ts";
import type { Reading } from "./streaming/subscription.ts";
import { CLOSE_REASONS, messageAppended } from "./streaming/events.ts";
import { Log } from "./log/log.ts";
import { Replicator } from "./replication/replicator.ts";
import { obeyFrame } from "./frame-commands.ts";
import { canUnload, nextAlarm, wakeBy } from "./replication/alarm-schedule.ts";
import { IDEMPOTENCY_PERIOD_MS, findResult, saveResult } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import { Prompts } from "./turns/prompts.ts";
import { SessionLoader } from "./session-loader.ts";
import { eventsOf } from "./turns/turn-runner.ts";
import { closeBack } from "./streaming/sockets.ts";
import type {
  TurnStream,
  NewMessageInput,
  History,
  LiveSnapshot,
  SessionResult,
  PromptResult,
} from "./session-results.ts";
import { Subscriptions } from "./subscribe.ts";
import { referencedRecords } from "./turns/turn-context.ts";
import { TurnQueue } from "./turns/turn-queue.ts";

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
  readonly #audience = new Subscribers(this.ctx);
  readonly #mirror = new Replicator(this.#log, {
    db: this.#db,
    storage: this.ctx.storage,
    nextAlarm: () => this.#nextMoment(),
    onReplicated: () => (canUnload(this.#log) ? this.#log.clear() : this.#wakeInTime()),
  });
  readonly #residence = new SessionLoader({
    db: this.#db,
    log: this.#log,
    id: this.ctx.id.name ?? "",
    changed: (session) => this.#changed(session),
  });
  readonly #turns = new TurnQueue({
    db: this.#db,
    log: this.#log,
    active: () => this.#residence.active(),
    append: (messages) => this.#append(messages),
    emit: (event) => this.#audience.broadcast(event),
  });
  readonly #prompts = new Prompts({
    log: this.#log,
    turns: this.#turns,
    audience: this.#audience,
    // The caller may go away; the turn goes on.
    seeThrough: ({ finished }) => this.ctx.waitUntil(finished.finally(() => this.#mirror.start())),
  });

  readonly #subscriptions = new Subscriptions({
    db: this.#db,
    log: this.#log,
    audience: this.#audience,
    session: () => this.#residence.load(),
    present: (session) => this.present(session),
    soFar: () => this.#turns.soFar(),
    wakeBy: (at) => wakeBy(this.ctx.storage, at),
  });

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (this.#turns.closeInterrupted()) this.#mirror.start();
  }

  /** A session, without its messages, in the form that its callers know. */
  protected abstract readonly present: (session: Session) => Record<string, unknown>;

  /** The session, with its log if that is wanted; `null` when the index database has all there is to know. */
  async read(history: History): Promise<Outcome<LiveSnapshot | null>> {
    const { state, cachedContext } = this.#log;
    if (!state) return success(null);
    if (state.removed) return notFound("session");
    this.#residence.startIfDue(state.session);
    return success({ ...this.#snapshot([], history), ...referencedRecords(cachedContext) });
  }

  /** Appends a message, once for its caller's key. Durable when it returns; refused unless the session is `ACTIVE`. */
  async append(given: NewMessageInput, history: History, own: IdempotencyKey | null): Promise<Outcome<SessionResult>> {
    const active = await this.#residence.active();
    const before = this.#residence.isLoaded ? findResult(this.#log, own, given) : null;
    if (before === "conflict") return failed({ reason: "idempotency-conflict" });
    if (before) return success(this.#snapshot(this.#log.messages((before.seq ?? 1) - 1, 1).items, history, true));
    if (!active.ok) return active;
    const { role, content } = given;
    const chatId = active.value.chats[0]?.chatId ?? null;
    const at = given.createdAt ?? now();
    const added = this.#append([{ chatId, turnId: null, role, content, createdAt: at, reply: null }]);
    saveResult(this.#log, own, given, { seq: active.value.lastSeq + 1, turn_id: null }, now());
    return this.#answer(added, history);
  }

  /** Messages after a `seq`, all or those that have text; `null` when the index database has all there is to know. */
  async page(after: number, limit: number, which: "all" | "shown"): Promise<Outcome<Batch<Message> | null>> {
    const { state } = this.#log;
    if (!state) return success(null);
    if (state.removed) return notFound("session");
    return success(which === "all" ? this.#log.messages(after, limit) : this.#log.shown(after, limit));
  }

  /** Puts a prompt to every chat and waits for the replies. A reply that failed is in the log like any other. */
  async prompt(content: string, history: History, own: IdempotencyKey | null): Promise<Outcome<PromptResult>> {
    await this.#residence.load();
    const put = await this.#prompts.put(content, own);
    if (!put.ok) return put;
    const { added, retryAfterSeconds, replayed } = put.value;
    const snapshot = this.#snapshot(added, history, replayed);
    await this.#mirror.waitUntilReplicated(PATIENCE_MS);
    return success({ ...snapshot, retryAfterSeconds });
  }

  /** Puts a prompt to every chat. @returns the turn's events as they come, once it begins */
  async promptAndFollow(
    content: string,
    own: IdempotencyKey | null,
    readerId: string = crypto.randomUUID(),
  ): Promise<Outcome<TurnStream>> {
    return this.#audience.receive(readerId, async () => {
      await this.#residence.load();
      return this.#prompts.follow(content, own, readerId);
    });
  }

  /** @returns everything that happens to the session, as server-sent events, until it ends or the reader goes */
  async follow(reading: Reading): Promise<Outcome<ReadableStream<Uint8Array>>> {
    return this.#subscriptions.openStream(reading);
  }

  /** Ends an event stream whose reader has gone. A turn that it follows goes on. */
  async unfollow(readerId: string): Promise<void> {
    this.#audience.leave(readerId);
  }

  /** Stops the turn that runs; what it brought so far is kept. @returns whether there was one */
  async stop(): Promise<Outcome<boolean>> {
    const session = await this.#residence.load();
    return session ? success(this.#turns.stop(null) !== null) : notFound("session");
  }

  /** Stops the turn that runs and those that wait. */
  async cancel(): Promise<Outcome<null>> {
    const session = await this.#residence.load();
    this.#turns.stopAll();
    return session ? success(null) : notFound("session");
  }

  /** Changes what is given of a session. An ended status first stops the turn under way. */
  async amend(changes: SessionChanges, history: History): Promise<Outcome<SessionResult>> {
    const change = () => this.#change((session) => amendSession(session, changes, now()), history);
    const ends = changes.status !== undefined && hasEnded({ status: changes.status });
    return ends ? this.#turns.interrupt(change) : change();
  }

  /** Ends an `ACTIVE` session, first stopping the turn under way. */
  async end(history: History): Promise<Outcome<SessionResult>> {
    return this.#turns.interrupt(() => this.#change((session) => endSession(session, now()), history));
  }

  /** Removes the session, its log and this object's storage. Denied to everyone first, so that nothing slips in. */
  async remove(): Promise<Outcome<null>> {
    return this.#turns.interrupt(() =>
      this.#residence.exclusively(async () => {
        const session = await this.#residence.load();
        if (!session) return notFound("session");
        if (this.#log.state) this.#log.markRemoved();
        this.#audience.closeAll(CLOSE_REASONS.deleted);
        await this.#finishRemoval(session.id);
        return success(null);
      }),
    );
  }

  /** Takes a `SCHEDULED` session in, to start it when its time comes. */
  async schedule(): Promise<void> {
    await this.#residence.load();
    await this.#wakeInTime();
  }

  /** Carries to the index database what it may not have yet. */
  async catchUp(): Promise<void> {
    if (this.#log.state) await this.#mirror.retry();
  }

  /** Closes what is open by a revoked API key. */
  async dismiss(keyId: string): Promise<void> {
    this.#audience.closeByKey(keyId);
  }

  override async alarm(): Promise<void> {
    this.#audience.sockets.closeExpired();
    const state = this.#log.state;
    if (state?.removed) return this.#finishRemoval(state.session.id);
    if (state) {
      this.#log.deleteSavedResults(now() - IDEMPOTENCY_PERIOD_MS + 1);
      this.#residence.startIfDue(state.session);
      await this.#mirror.retry();
    }
    await this.#wakeInTime();
  }

  /** Opens a socket for a caller whom the Worker has let in; everything else comes by RPC. 404 for a session that is not there, 429 for one that too many follow. */
  override async fetch(request: Request): Promise<Response> {
    return this.#subscriptions.openSocket(subscriptionOf(request));
  }

  override async webSocketMessage(socket: WebSocket, given: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.#audience;
    const frame = sockets.read(socket, given);
    if (!frame) return;
    const answer = await obeyFrame(frame, sockets.callerOf(socket), {
      log: this.#log,
      active: () => this.#residence.active(),
      append: (messages) => this.#append(messages),
      submit: (content) => this.#prompts.submit({ content, seq: null }),
      stop: (chatId) => this.#turns.stop(chatId),
      tellSender: (event) => sockets.send(socket, event),
    });
    sockets.send(socket, answer);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    closeBack(socket, code);
  }

  async #finishRemoval(id: string): Promise<void> {
    // Whatever comes between, the alarm takes the rest away.
    if (this.#log.state) await this.ctx.storage.setAlarm(now() + REMOVAL_RETRY_MS);
    // What is on its way to the index database must not arrive there behind the removal.
    await this.#mirror.waitUntilReplicated(PATIENCE_MS);
    await deleteSession(this.#db, id);
    await this.#log.clear();
  }

  #append(messages: NewMessage[]): Message[] {
    const added = this.#log.append(messages, now());
    if (this.#audience.hasSubscribers) {
      for (const event of added.flatMap((message) => eventsOf(message, messageAppended(message))))
        this.#audience.broadcast(event);
    }
    const turnId = this.#log.state?.turn?.turnId ?? null;
    // What a turn brings is carried together when the turn is over.
    if (turnId !== null && messages.every((message) => message.turnId === turnId)) this.#mirror.startWithinASecond();
    else this.#mirror.start();
    return added;
  }

  #changed(session: Session): void {
    this.#mirror.start();
    void this.#wakeInTime();
    this.#audience.broadcast({ type: "session-updated", session: this.present(session) });
    if (hasEnded(session)) this.#audience.closeAll(CLOSE_REASONS.ended);
  }

  /** @param replayed whether it was added before: then what came later is not shown */
  #snapshot(added: Message[], history: History, replayed = false): SessionResult {
    const { session } = this.#log.held;
    const upTo = replayed ? (added.at(-1)?.seq ?? session.lastSeq) : session.lastSeq;
    const messages = history === "whole" ? this.#log.messages(0, upTo).items : added;
    return { session, messages, upTo: history === "whole" ? upTo : 0, replayed };
  }

  /** What was just changed, once the index database has it or has had its time. */
  async #answer(added: Message[], history: History): Promise<Outcome<SessionResult>> {
    const snapshot = this.#snapshot(added, history);
    await this.#mirror.waitUntilReplicated(PATIENCE_MS);
    return success(snapshot);
  }

  async #change(change: (session: Session) => Outcome<Session>, history: History): Promise<Outcome<SessionResult>> {
    const changed = await this.#residence.change(change);
    if (!changed.ok) return changed;
    if (this.#log.state) return this.#answer([], history);
    const session = changed.value;
    return success({ session, messages: [], upTo: history === "whole" ? session.lastSeq : 0 });
  }

  /** When something is to happen by itself, beside what the mirror has to do. `Infinity` for never. */
  #nextMoment(): EpochMs {
    return Math.min(nextAlarm(this.#log), this.#audience.sockets.nextExpiry());
  }

  async #wakeInTime(): Promise<void> {
    await wakeBy(this.ctx.storage, this.#nextMoment());
  }
}
