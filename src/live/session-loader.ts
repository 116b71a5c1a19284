/**
 * Loads a session from D1 into its object and changes everything of it but the log. A session is in its object while it is
 * open, and in D1 alone before its first use and after its end.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Session } from "../core/session.ts";
import { hasEnded, startIfDue } from "../core/session.ts";
import type { SessionWorld } from "./session-world.ts";
import { CLOSE_REASONS } from "./streaming/events.ts";
import { TaskQueue } from "./turns/task-queue.ts";

export class SessionLoader {
  readonly #world: SessionWorld;
  /** Changes run one at a time: some of them have to read D1 first. */
  readonly #changes = new TaskQueue();
  #loading: Promise<Session | null> | null = null;

  constructor(world: SessionWorld) {
    this.#world = world;
  }

  /** Whether the session is in the object, and not being removed. */
  get isLoaded(): boolean {
    return this.#world.log.state?.removed === false;
  }

  /** The session if it takes messages now. Ask again after every wait: it may have ended meanwhile. */
  async findActive(): Promise<Outcome<Session>> {
    await this.load();
    const { state } = this.#world.log;
    return state && !state.removed && state.session.status === "ACTIVE"
      ? success(state.session)
      : failed({ reason: "session-not-active" });
  }

  /** Loads an open session from D1 into the object. One that has ended is not loaded; `null` for one that does not exist. */
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

  async #copyToLog(session: Session): Promise<void> {
    const { records, log } = this.#world;
    const [messages, context] = await Promise.all([records.readLog(session), records.readTurnContext(session)]);
    log.load(session, messages, context);
  }

  /** @returns the session as it is now. One that has ended and stays so is changed in D1 */
  change(change: (session: Session) => Outcome<Session>): Promise<Outcome<Session>> {
    return this.#changes.run(async () => {
      const { records, log } = this.#world;
      const session = await this.load();
      if (!session) return notFound("session");
      const changed = change(session);
      if (!changed.ok) return changed;
      if (!log.state && hasEnded(changed.value)) {
        await records.writeSession(changed.value);
        return changed;
      }
      if (!log.state) await this.#copyToLog(session);
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

  /** One transaction with the events and the replication of the change. */
  #save(session: Session): void {
    const { log, replication, scheduleAlarm, emit, closeSubscriptions } = this.#world;
    log.replaceSession(session);
    replication.start();
    void scheduleAlarm();
    emit({ type: "session-updated", session });
    if (hasEnded(session)) closeSubscriptions(CLOSE_REASONS.ended);
  }
}
