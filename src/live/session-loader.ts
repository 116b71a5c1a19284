/**
 * Loads a session into its object and unloads it, and changes the session's own fields. A session is in its object while
 * it is used. Before its first use, after its end, and when nobody has used it for some time, it is only in D1 and in the
 * archive.
 *
 * Messages and turns do not belong here: those are in `log/` and `turns/`. Effects: the log's storage, D1, replication
 * and the alarm, all by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import { MAX_LOG_BYTES, MAX_LOG_MESSAGES } from "../core/message.ts";
import { keepHandling } from "../core/handover.ts";
import type { Session } from "../core/session.ts";
import { applyDueChanges, changedFields, hasEnded } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { UNLOAD_AFTER_MS, canUnload } from "./replication/alarm-schedule.ts";
import type { SessionWorld } from "./session-world.ts";
import { TaskQueue } from "./turns/task-queue.ts";

/** How long after a command began it may still be about to change the session, in milliseconds. */
const COMMAND_MS = 60_000;

export class SessionLoader {
  readonly #world: SessionWorld;
  /** Runs changes one at a time: some of them read D1 first. */
  readonly #changes = new TaskQueue();
  #loading: Promise<Session | null> | null = null;
  /** When a command last asked for the session. It may be about to change it. */
  #usedAt: EpochMs = -Infinity;

  constructor(world: SessionWorld) {
    this.#world = world;
  }

  /** Whether the session is in the object and is not being removed. */
  get isLoaded(): boolean {
    return this.#world.log.state?.removed === false;
  }

  /** Whether the object has the session, or begins to. Then it may get messages at any moment. */
  get isUsed(): boolean {
    return this.#world.log.state !== null || this.#loading !== null;
  }

  /** The loaded session, if it accepts messages now. Read it again after each await: the session can end meanwhile. */
  get active(): Outcome<Session> {
    const { state } = this.#world.log;
    if (!state || state.removed || state.session.status !== "ACTIVE") return failed({ reason: "session-not-active" });
    const isFull = state.session.lastSeq >= MAX_LOG_MESSAGES || state.bytes >= MAX_LOG_BYTES;
    return isFull ? failed({ reason: "session-full" }) : success(state.session);
  }

  /** Loads the session. Then as {@link active}. */
  async findActive(): Promise<Outcome<Session>> {
    await this.load();
    return this.active;
  }

  /**
   * Loads an open session from D1 into the object. Returns an ended session without loading it, and `null` if there is
   * none.
   */
  load(): Promise<Session | null> {
    const { state } = this.#world.log;
    this.#usedAt = this.#world.clock();
    if (state) return Promise.resolve(state.removed ? null : this.applyDueChanges(state.session));
    this.#loading ??= this.#loadFromD1().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadFromD1(): Promise<Session | null> {
    const { records, replication, clock, id } = this.#world;
    const session = await records.findSession(id);
    if (!session || hasEnded(session)) return session;
    await this.#copyToLog(session);
    // The load of a long log can take longer than a command.
    this.#usedAt = clock();
    // Sets an alarm, after which the object looks when it can unload.
    replication.startByAlarm();
    return this.applyDueChanges(session);
  }

  /** Copies the log page by page: it can be longer than what fits in memory. */
  async #copyToLog(session: Session): Promise<void> {
    const { records, log, clock, id } = this.#world;
    const { lastSeq, updatedAt } = session;
    const firstPage = lastSeq === 0 ? [] : records.readMessages(session, 0);
    // Once it was archived, the archive job looks at a session again only if it is asked to.
    const watched = session.archive && records.addArchiveCandidate(id, clock());
    const context = records.cachedTurnContext(session, null)?.context ?? records.readTurnContext(session);
    const [first, turnContext] = await Promise.all([firstPage, context, watched]);
    log.beginLoad();
    let bytes = 0;
    for (let page = first; page.length > 0;) {
      bytes += log.loadMessages(page, updatedAt);
      const last = page.at(-1)?.seq ?? lastSeq;
      page = last < lastSeq ? await records.readMessages(session, last) : [];
    }
    log.finishLoad(session, bytes, turnContext);
  }

  /**
   * Empties the object's storage if nothing needs it: the session has ended, or it was not changed since a time.
   *
   * @returns whether the object is empty now
   */
  async unload(idleSince: EpochMs = this.#world.clock() - UNLOAD_AFTER_MS): Promise<boolean> {
    const { log, clock, hasSubscribers } = this.#world;
    const isInUse = () => hasSubscribers() || this.#usedAt > clock() - COMMAND_MS;
    if (log.state && canUnload(log, idleSince, isInUse)) await log.clear();
    return log.state === null;
  }

  /**
   * Moves the log into the archive, unless the session is in use.
   *
   * @param unchangedSince the session stays where it is if it was changed later
   * @returns whether the archive has the log
   */
  archive(unchangedSince: EpochMs): Promise<boolean> {
    return this.#changes.run(() => this.#archive(unchangedSince));
  }

  async #archive(unchangedSince: EpochMs): Promise<boolean> {
    const { records, id, clock } = this.#world;
    if (!(await this.unload(unchangedSince))) return false;
    const session = await records.findSession(id);
    if (!session || session.lastSeq === 0 || session.updatedAt >= unchangedSince) return false;
    await records.archiveLog(session);
    // It may have been loaded meanwhile, when it did not know yet that it has an archive.
    if (this.isUsed) await records.addArchiveCandidate(id, clock());
    return true;
  }

  /**
   * Changes the session. A session that has ended and stays ended is changed in D1 only.
   *
   * @returns the changed session, or the failure of the change
   */
  change(change: (session: Session) => Outcome<Session>): Promise<Outcome<Session>> {
    return this.#changes.run(async () => {
      const { records, log } = this.#world;
      const session = await this.load();
      if (!session) return notFound("session");
      const changed = change(session);
      if (!changed.ok) return changed;
      if (!log.state && hasEnded(changed.value)) {
        await records.writeSession(changed.value, changedFields(session, changed.value));
        return changed;
      }
      if (!log.state) await this.#copyToLog(session);
      // While it had ended, its chatbot or its client may have been deleted.
      else if (hasEnded(session) && !hasEnded(changed.value)) log.cacheContext(null);
      if (changed.value !== log.state?.session) this.#save(changed.value);
      return changed;
    });
  }

  /** A person who handles the session has written a message. Part of the transaction of the message. */
  keepHandling(): void {
    const { log, clock } = this.#world;
    const { session } = log.loadedState;
    const handling = keepHandling(session, clock());
    if (handling === session) return;
    log.replaceSession({ ...session, ...handling, metadataVersion: session.metadataVersion + 1 });
    void this.#world.scheduleAlarm();
  }

  /** Runs a task while nothing else changes the session. */
  runExclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.#changes.run(task);
  }

  /** Saves what has changed by the time alone. */
  applyDueChanges(session: Session): Session {
    const changed = applyDueChanges(session, this.#world.clock());
    if (changed !== session) this.#save(changed);
    return changed;
  }

  /** Saves a changed session, and emits and replicates the change. One transaction. */
  #save(session: Session): void {
    const { log, replication, scheduleAlarm, emit } = this.#world;
    log.replaceSession(session);
    replication.start();
    void scheduleAlarm();
    emit({ type: "session-updated", session });
  }
}
