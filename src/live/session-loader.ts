/**
 * Loads a session from D1 into its object, and changes the session's own fields. A session is in its object while it is
 * open. Before its first use and after its end, it is only in D1.
 *
 * Messages and turns do not belong here: those are in `log/` and `turns/`. Effects: the log's storage, D1, replication
 * and the alarm, all by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import { MAX_LOG_BYTES, MAX_LOG_MESSAGES } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import { changedFields, hasEnded, startIfDue } from "../core/session.ts";
import type { SessionWorld } from "./session-world.ts";
import { TaskQueue } from "./turns/task-queue.ts";

export class SessionLoader {
  readonly #world: SessionWorld;
  /** Runs changes one at a time: some of them read D1 first. */
  readonly #changes = new TaskQueue();
  #loading: Promise<Session | null> | null = null;

  constructor(world: SessionWorld) {
    this.#world = world;
  }

  /** Whether the session is in the object and is not being removed. */
  get isLoaded(): boolean {
    return this.#world.log.state?.removed === false;
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
    if (state) return Promise.resolve(state.removed ? null : this.startIfDue(state.session));
    this.#loading ??= this.#loadFromD1().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadFromD1(): Promise<Session | null> {
    const { records, id } = this.#world;
    const session = await records.findSession(id);
    if (!session || hasEnded(session)) return session;
    await this.#copyToLog(session);
    return this.startIfDue(session);
  }

  /** Copies the log page by page: it can be longer than what fits in memory. */
  async #copyToLog(session: Session): Promise<void> {
    const { records, log } = this.#world;
    const { lastSeq, updatedAt } = session;
    const firstPage = lastSeq === 0 ? [] : records.readMessages(session, 0);
    const context = records.cachedTurnContext(session, null)?.context ?? records.readTurnContext(session);
    const [first, turnContext] = await Promise.all([firstPage, context]);
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

  /** Runs a task while nothing else changes the session. */
  runExclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.#changes.run(task);
  }

  startIfDue(session: Session): Session {
    const started = startIfDue(session, this.#world.clock());
    if (started !== session) this.#save(started);
    return started;
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
