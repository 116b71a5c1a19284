/**
 * The commands of a session, each once: HTTP routes, socket frames and jobs call the same ones. Plain code with one
 * injected world, so unit tests run it in Node.
 *
 * Permissions do not belong here: callers check them first. Nor does the public form of a result: each dialect has its
 * own. Effects: the log, D1, events and calls to endpoints, all by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { amendSession, endSession, hasEnded } from "../core/session.ts";
import { IDEMPOTENCY_PERIOD_MS, findResult, saveResult, saveResultAtStart } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { RowBatch } from "./log/message-rows.ts";
import type { SavedResult } from "./log/waiting-results.ts";
import { makeResult } from "./make-result.ts";
import type { InRoom, ResultInRoom } from "./passed-messages.ts";
import { SessionLoader } from "./session-loader.ts";
import type {
  AcceptedPrompt,
  History,
  LiveSnapshot,
  NewMessageInput,
  PageFilter,
  PromptResult,
  RecordOptions,
} from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import { CLOSE_REASONS } from "./streaming/events.ts";
import type { CloseReason } from "./streaming/events.ts";
import { replaySession, replayTurn } from "./streaming/replay.ts";
import { appendMessages } from "./turns/append-messages.ts";
import { referencedRecords } from "./turns/turn-context.ts";
import { TurnQueue } from "./turns/turn-queue.ts";

/** How long a removal waits for messages on their way to D1, in milliseconds. */
const REPLICATION_TIMEOUT_MS = 250;

/** The delay before a failed removal is retried, in milliseconds. */
const REMOVAL_RETRY_MS = 10_000;

interface AppendResult {
  message: Message;
  /** Whether an earlier call with the same key appended it. */
  replayed: boolean;
}

export class SessionRoom {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #turns: TurnQueue;

  constructor(world: SessionWorld) {
    this.#world = world;
    this.#loader = new SessionLoader(world);
    this.#turns = new TurnQueue(world, this.#loader);
  }

  /** Closes a turn that was interrupted when the object stopped. Call it once, when the object starts. */
  recover(): void {
    if (this.#turns.closeInterrupted()) this.#world.replication.start();
  }

  /** Loads an open session. Returns an ended session as it is in D1, and `null` if there is none. */
  load(): Promise<Session | null> {
    return this.#loader.load();
  }

  /**
   * Reads the session, for `whole` with the newest of its log. `null` if the object is empty, because D1 has the whole
   * session.
   */
  read(history: History, options: RecordOptions = {}): Outcome<InRoom<LiveSnapshot> | null> {
    const { log, records } = this.#world;
    const { state } = log;
    if (!state) return success(null);
    if (state.removed) return notFound("session");
    this.#loader.startIfDue(state.session);
    const result = makeResult(log, [], history, options);
    const cached = records.cachedReferences(state.session);
    if (!cached) return success({ ...result, ...referencedRecords(log.cachedContext) });
    const { readAt, ...references } = cached;
    return success({ ...result, ...references, referencesReadAt: readAt });
  }

  /** Reads messages after a `seq`: all, those of a chat, or only those with text. `null` if the object is empty. */
  page(
    after: number,
    limit: number,
    which: "all" | "shown",
    { chatId, form, ofTurns }: PageFilter = {},
  ): Outcome<RowBatch | null> {
    const { log } = this.#world;
    if (!log.state) return success(null);
    if (log.state.removed) return notFound("session");
    if (chatId !== undefined) return success(log.messagesOfChat(chatId, after, limit));
    if (ofTurns) return success(log.messagesOfTurns(after, limit));
    return success(which === "all" ? log.messages(after, limit, form) : log.shownMessages(after, limit));
  }

  /**
   * Appends a message, once per idempotency key. The message is durable when the call returns.
   *
   * @returns `session-not-active` unless the session is `ACTIVE`, `session-full` if its log is, `idempotency-conflict`
   * if the key was used for another message
   */
  async append(input: NewMessageInput, key: IdempotencyKey | null): Promise<Outcome<AppendResult>> {
    return this.#appendOnce(await this.#loader.findActive(), input, key);
  }

  /** Appends a message, and returns it with the session at that time. */
  async appendAndShow(input: NewMessageInput, history: History, key: IdempotencyKey | null): Promise<ResultInRoom> {
    const appended = this.#appendOnce(await this.#loader.findActive(), input, key);
    if (!appended.ok) return appended;
    const { message, replayed } = appended.value;
    const result = makeResult(this.#world.log, [message], history, { replayed });
    if (!replayed) await this.#waitForD1();
    return success(result);
  }

  /** Has no await, so that the lookup, the append and the saved result are one transaction. */
  #appendOnce(active: Outcome<Session>, input: NewMessageInput, key: IdempotencyKey | null): Outcome<AppendResult> {
    const { log } = this.#world;
    const saved = this.#loader.isLoaded ? findResult(log, key, input) : null;
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const [first] = saved ? log.messages((saved.seq ?? 1) - 1, 1).items : [];
    if (first) return success({ message: first, replayed: true });
    return active.ok ? success({ message: this.#append(active.value, input, key), replayed: false }) : active;
  }

  /** Appends the message and saves the result of its key. One transaction. */
  #append({ chats }: Session, input: NewMessageInput, key: IdempotencyKey | null): Message {
    const { log, clock } = this.#world;
    const { role, content } = input;
    const chatId = chats[0]?.chatId ?? null;
    const createdAt = input.createdAt ?? clock();
    const [message] = appendMessages(this.#world, [
      { chatId, turnId: null, turnNumber: null, role, content, createdAt, reply: null },
    ]);
    if (!message) throw new Error("A message was not appended");
    saveResult(log, key, input, { seq: message.seq, turn_id: null }, clock());
    return message;
  }

  /**
   * Accepts a prompt, once per idempotency key: a repeated call gets the same turn. In a chatbot session, a repeated
   * call runs a failed turn again, without appending the prompt again.
   *
   * @returns `session-not-active`, `session-full`, `turn-queue-full`, or `idempotency-conflict` if the key was used for
   * another prompt
   */
  async submitPrompt(content: string, key: IdempotencyKey | null): Promise<Outcome<AcceptedPrompt>> {
    await this.#loader.load();
    const { log } = this.#world;
    // No await from here on, so that the lookup, the turn and the saved result are one transaction.
    if (log.state?.removed !== false) return failed({ reason: "session-not-active" });
    const saved = findResult(log, key, { content });
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const earlier = saved && this.#earlierTurn(saved);
    if (earlier) return success(earlier);
    const active = this.#loader.active;
    if (!active.ok) return active;
    return this.#startTurn(content, saved && this.#promptSeq(saved), key);
  }

  /** Accepts a prompt and waits for the replies. Failed replies are in the log like any other. */
  async prompt(
    content: string,
    history: History,
    key: IdempotencyKey | null,
    options: RecordOptions = {},
  ): Promise<Outcome<InRoom<PromptResult>>> {
    const accepted = await this.submitPrompt(content, key);
    if (!accepted.ok) return accepted;
    const { turnId, submitted, replayed } = accepted.value;
    const finished = submitted
      ? await submitted.finished
      : success({ added: this.#world.log.messagesOfTurn(turnId), retryAfterSeconds: null });
    if (!finished.ok) return finished;
    const { added, retryAfterSeconds } = finished.value;
    const result = makeResult(this.#world.log, added, history, { ...options, replayed });
    await this.#waitForD1();
    return success({ ...result, retryAfterSeconds });
  }

  /** The replay of a loaded session for a new subscriber. Start to read it in the same tick. */
  replay(after: number | null) {
    return replaySession(this.#world.log, after, () => this.#turns.runningReplyEvents());
  }

  /** The replay of a turn for a late subscriber: its messages, and the replies that still run. */
  replayTurn(turnId: string) {
    const isRunning = this.#turns.find(turnId) !== null;
    return replayTurn(this.#world.log, turnId, !isRunning, () => (isRunning ? this.#turns.runningReplyEvents() : []));
  }

  /**
   * Stops the running turn, or one of its chats. The text so far is saved.
   *
   * @returns the turn's id, `null` if no turn runs, or `not-found` if the session has no such chat
   */
  async stop(chatId: string | null): Promise<Outcome<string | null>> {
    const session = await this.#loader.load();
    if (!session) return notFound("session");
    if (chatId !== null && !session.chats.some((chat) => chat.chatId === chatId)) return notFound("chat", chatId);
    return success(this.#turns.stop(chatId));
  }

  /** Stops the running turn. @returns whether a turn was running */
  async stopTurn(): Promise<Outcome<boolean>> {
    const stopped = await this.stop(null);
    return stopped.ok ? success(stopped.value !== null) : stopped;
  }

  /** Stops the running turn and the waiting ones. */
  async cancel(): Promise<Outcome<null>> {
    const session = await this.#loader.load();
    this.#turns.stopAll();
    return session ? success(null) : notFound("session");
  }

  /** Changes fields of the session. If the new status ends the session, the running turn stops first. */
  async amend(changes: SessionChanges, history: History): Promise<ResultInRoom> {
    const change = () => this.#change((session) => amendSession(session, changes, this.#world.clock()), history);
    const ends = changes.status !== undefined && hasEnded({ status: changes.status });
    return ends ? this.#turns.interrupt(change) : change();
  }

  /**
   * Ends an `ACTIVE` session. The running turn stops first.
   *
   * @param isRetry whether an earlier attempt may have ended it: then it is enough that the session is completed
   */
  async end(history: History, isRetry = false): Promise<ResultInRoom> {
    const end = (session: Session) =>
      isRetry && session.status === "COMPLETED" ? success(session) : endSession(session, this.#world.clock());
    return this.#turns.interrupt(() => this.#change(end, history));
  }

  /**
   * Removes the session, its log and the object's storage. Marks it as removed first, so that nothing more is appended.
   *
   * @param isRetry whether an earlier attempt may have removed it: then it is enough that there is no session
   */
  async remove(isRetry = false): Promise<Outcome<null>> {
    return this.#turns.interrupt(() =>
      this.#loader.runExclusive(async () => {
        const session = await this.#loader.load();
        if (!session) {
          if (!isRetry) return notFound("session");
          if (this.#world.log.state) await this.#finishRemoval();
          return success(null);
        }
        if (this.#world.log.state) this.#world.log.markRemoved();
        await this.#closeSubscriptions(CLOSE_REASONS.deleted);
        await this.#finishRemoval();
        return success(null);
      }),
    );
  }

  /**
   * Moves the log into the archive, unless the session is in use or was changed since a time.
   *
   * @returns whether the archive has the log
   */
  readonly archive = (unchangedSince: EpochMs): Promise<boolean> => this.#loader.archive(unchangedSince);

  /** Empties the object's storage if nothing needs it and D1 has everything. @returns whether it is empty now */
  readonly unload = (): Promise<boolean> => this.#loader.unload();

  /** Does the work that is due: completes a removal, deletes expired keys, starts a scheduled session. */
  async runDueWork(): Promise<void> {
    const { log, clock } = this.#world;
    if (log.state?.removed) return this.#finishRemoval();
    if (!log.state) return;
    log.deleteSavedResults(clock() - IDEMPOTENCY_PERIOD_MS + 1);
    this.#loader.startIfDue(log.state.session);
  }

  async #finishRemoval(): Promise<void> {
    const { log, records, replication, scheduleAlarm, clock, id } = this.#world;
    // If a later step fails, the alarm completes the removal.
    if (log.state) await scheduleAlarm(clock() + REMOVAL_RETRY_MS);
    // Messages on their way to D1 must not arrive there after the removal.
    await replication.waitUntilReplicated(REPLICATION_TIMEOUT_MS);
    await records.deleteSession(id);
    await log.clear();
  }

  #startTurn(content: string, seq: number | null, key: IdempotencyKey | null): Outcome<AcceptedPrompt> {
    const { log, clock, replication, keepAlive } = this.#world;
    const submitted = this.#turns.submit({ content, seq }, (turnId) =>
      saveResultAtStart(log, key, { content }, { seq, turn_id: turnId }, clock()),
    );
    if (!submitted.ok) return submitted;
    const { turnId, finished } = submitted.value;
    // The turn continues even if the caller disconnects.
    keepAlive(finished.finally(() => replication.start()));
    return success({ turnId, submitted: submitted.value, replayed: false });
  }

  /** The turn that a key started. `null` if it failed or was lost before it started: then it runs again. */
  #earlierTurn({ turn_id: turnId }: SavedResult): AcceptedPrompt | null {
    const { log } = this.#world;
    if (turnId === null) return null;
    const submitted = this.#turns.find(turnId);
    if (submitted) return { turnId, submitted, replayed: true };
    const lastReply = log.messagesOfTurn(turnId).at(-1)?.reply;
    const hasFailed = log.loadedState.session.kind === "chatbot" && lastReply?.status === "error";
    return lastReply && !hasFailed ? { turnId, submitted: null, replayed: true } : null;
  }

  /** The `seq` of the prompt of an earlier turn. A repeated turn does not append its prompt again. */
  #promptSeq({ turn_id: turnId, seq }: SavedResult): number | null {
    const messages = turnId === null ? [] : this.#world.log.messagesOfTurn(turnId);
    return messages.find(({ role }) => role === "user")?.seq ?? seq;
  }

  async #change(change: (session: Session) => Outcome<Session>, history: History): Promise<ResultInRoom> {
    const { log } = this.#world;
    const hadEnded = log.state !== null && hasEnded(log.state.session);
    const changed = await this.#loader.change(change);
    if (!changed.ok) return changed;
    if (log.state && !hadEnded && hasEnded(changed.value)) await this.#closeSubscriptions(CLOSE_REASONS.ended);
    const session = changed.value;
    if (!log.state) {
      return success({ session, messages: [], upTo: history === "whole" ? session.lastSeq : 0 });
    }
    const result = makeResult(this.#world.log, [], history);
    await this.#waitForD1();
    return success(result);
  }

  /** Rejects the turns that wait, and closes all subscriptions afterwards: a socket gets the failure of its prompt first. */
  async #closeSubscriptions(reason: CloseReason): Promise<void> {
    await this.#turns.rejectWaiting(failed({ reason: "session-not-active" }));
    this.#world.closeSubscriptions(reason);
  }

  #waitForD1(): Promise<void> {
    return this.#world.replication.waitIfQuick();
  }
}
