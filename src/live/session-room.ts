/**
 * The commands of a session, each once: HTTP routes, socket frames and jobs call the same ones. Plain code with one
 * injected world, so unit tests run it in Node.
 *
 * Permissions do not belong here: callers check them first. Nor does the public form of a result: each dialect has its
 * own. Effects: the log, D1, events and calls to endpoints, all by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { amendSession, changeHandler, endSession, hasEnded } from "../core/session.ts";
import { handBack, requestHuman, takeOver } from "../core/handover.ts";
import type { Handling } from "../core/handover.ts";
import { activatePath } from "./activate-path.ts";
import { adoptAnswer, findAdoptedInRecords } from "./adopt-answer.ts";
import { Appends } from "./appends.ts";
import { ConversationReplay } from "./conversation-replay.ts";
import { IDEMPOTENCY_PERIOD_MS } from "./log/idempotency.ts";
import type { RowBatch } from "./log/message-rows.ts";
import { makeResult } from "./make-result.ts";
import type { InRoom, ResultInRoom } from "./passed-messages.ts";
import { Prompts } from "./prompts.ts";
import { SessionLoader } from "./session-loader.ts";
import type {
  AcceptedPrompt,
  AdoptParams,
  History,
  LiveSnapshot,
  PageFilter,
  RecordOptions,
  TakeOverParams,
} from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import { CLOSE_REASONS } from "./streaming/events.ts";
import type { CloseReason } from "./streaming/events.ts";
import { replaySession, replayTurn, replayTurnOfHuman } from "./streaming/replay.ts";
import { currentContext, limitedEndpointsOf, referencedRecords, takeoverTimeoutOf } from "./turns/turn-context.ts";
import { TurnQueue } from "./turns/turn-queue.ts";

/** How long a removal waits for messages on their way to D1, in milliseconds. */
const REPLICATION_TIMEOUT_MS = 250;

/** The delay before a failed removal is retried, in milliseconds. */
const REMOVAL_RETRY_MS = 10_000;

type ChangeHandling = (handling: Handling, at: EpochMs) => Handling;

export class SessionRoom {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #turns: TurnQueue;
  readonly prompts: Prompts;
  readonly replays: ConversationReplay;
  readonly append: Appends["append"];
  readonly appendAndShow: Appends["appendAndShow"];
  readonly submitPrompt: Prompts["submit"];
  readonly prompt: Prompts["run"];

  constructor(world: SessionWorld) {
    this.#world = world;
    this.#loader = new SessionLoader(world);
    this.#turns = new TurnQueue(world, this.#loader);
    this.prompts = new Prompts(world, this.#loader, this.#turns);
    this.replays = new ConversationReplay(world, this.#loader, this.prompts);
    const appends = new Appends(world, this.#loader);
    this.append = (...args) => appends.append(...args);
    this.appendAndShow = (...args) => appends.appendAndShow(...args);
    this.submitPrompt = (...args) => this.prompts.submit(...args);
    this.prompt = (...args) => this.prompts.run(...args);
  }

  /**
   * Goes on with a replay, and closes any other turn that was interrupted when the object stopped. Releases the slots of
   * its calls, which ended with it. Call it once, when the object starts.
   */
  recover(): void {
    const { log, keepAlive, releaseEarlierSlots } = this.#world;
    const { state } = log;
    const limited = state?.turn ? limitedEndpointsOf(log.cachedContext) : [];
    if (limited.length > 0) keepAlive(releaseEarlierSlots(limited));
    const goesOn = state?.replay !== undefined && state.turn?.recordedTurn !== undefined;
    if (!goesOn && this.#turns.closeInterrupted()) this.#world.replication.start();
    this.replays.resume();
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
    this.#loader.applyDueChanges(state.session);
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

  /** As {@link activatePath}. */
  async activate(seq: number): Promise<Outcome<number[]>> {
    const active = await this.#loader.findActive();
    const seqs = activatePath(this.#world, active, this.#turns.isRunning, seq);
    if (seqs.ok) await this.#waitForD1();
    return seqs;
  }

  /** The replay of a loaded session for a new subscriber. Start to read it in the same tick. */
  replay(after: number | null) {
    return replaySession(this.#world.log, after, () => this.#turns.runningReplyEvents());
  }

  /** The replay of a prompt that was left to a person. */
  replayPrompt(accepted: AcceptedPrompt) {
    return replayTurnOfHuman(
      accepted.turnId,
      this.prompts.messagesOf(accepted),
      this.#world.log.loadedState.session.kind,
    );
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

  /** As {@link adoptAnswer}. */
  async adopt(params: AdoptParams): Promise<Outcome<{ seq: number }>> {
    const active = await this.#loader.findActive();
    if (!this.#loader.isUsed) {
      const seq = await findAdoptedInRecords(this.#world, params.author);
      return seq === null ? failed({ reason: "session-not-active" }) : success({ seq });
    }
    const adopted = adoptAnswer(this.#world, active, this.#turns.isRunning, params);
    if (adopted.ok) await this.#waitForD1();
    return adopted;
  }

  /** Stops the replay, the running turn and the waiting ones. */
  async cancel(): Promise<Outcome<null>> {
    const session = await this.#loader.load();
    this.replays.cancel();
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

  /** Somebody asks for a person. The bot goes on answering. */
  requestHuman(reason: string | null): Promise<ResultInRoom> {
    return this.#changeHandler((handling, at) => requestHuman(handling, reason, at));
  }

  /**
   * A person takes over. The running turn stops first, and keeps its text. The prompts that wait are only appended. When the
   * call returns, no more message of the bot follows.
   */
  async takeOver(params: TakeOverParams): Promise<ResultInRoom> {
    const session = await this.#loader.load();
    if (session?.status !== "ACTIVE") return failed({ reason: "session-not-active" });
    const timeoutMs = takeoverTimeoutOf(await currentContext(this.#world, session));
    const change: ChangeHandling = (handling, at) => takeOver(handling, { ...params, timeoutMs }, at);
    return this.#turns.interrupt(() => this.#changeHandler(change), "human");
  }

  /** The bot answers again. */
  handBack(note: string | null): Promise<ResultInRoom> {
    return this.#changeHandler((handling, at) => handBack(handling, note, at));
  }

  #changeHandler(change: ChangeHandling): Promise<ResultInRoom> {
    return this.#change((session) => changeHandler(session, change, this.#world.clock()), "added");
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

  /** Does the work that is due: completes a removal, deletes expired keys, starts a scheduled session, hands one back to the bot, goes on with a replay. */
  async runDueWork(): Promise<void> {
    const { log, clock } = this.#world;
    if (log.state?.removed) return this.#finishRemoval();
    if (!log.state) return;
    log.results.delete(clock() - IDEMPOTENCY_PERIOD_MS + 1);
    this.#loader.applyDueChanges(log.state.session);
    this.replays.resume();
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
