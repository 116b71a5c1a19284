import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Session } from "../core/session.ts";
import { hasEnded, startIfDue } from "../core/session.ts";
import { now } from "../core/time.ts";
import type { Database } from "../store/database.ts";
import { readLog } from "../store/messages.ts";
import { writeSession, findSession } from "../store/sessions.ts";
import type { Log } from "./log/log.ts";
import { TaskQueue } from "./turns/task-queue.ts";
import { readTurnContext } from "./turns/turn-context.ts";

interface LoaderPorts {
  db: Database;
  log: Log;
  id: string;
  /** Told of each change to a session that lives here, in the transaction of the change. */
  changed: (session: Session) => void;
}

/** Where a session lives: in its object while it is open, and in the index database before its first use and after its end. */
export class SessionLoader {
  readonly #ports: LoaderPorts;
  /** Changes of anything but the log, one at a time: some of them have to ask the index database first. */
  readonly #changes = new TaskQueue();
  #takingIn: Promise<Session | null> | null = null;

  constructor(ports: LoaderPorts) {
    this.#ports = ports;
  }

  /** Whether the session lives here, and is not being removed. */
  get isLoaded(): boolean {
    return this.#ports.log.state?.removed === false;
  }

  /** The session if it takes messages now. Ask again after every wait: it may have ended meanwhile. */
  async active(): Promise<Outcome<Session>> {
    await this.load();
    const { state } = this.#ports.log;
    return state && !state.removed && state.session.status === "ACTIVE"
      ? success(state.session)
      : failed({ reason: "session-not-active" });
  }

  /** Takes the session in unless it is here. One that has ended stays where it is; `null` for one that is not. */
  load(): Promise<Session | null> {
    const { state } = this.#ports.log;
    if (state) return Promise.resolve(state.removed ? null : this.startIfDue(state.session));
    this.#takingIn ??= this.#load().finally(() => {
      this.#takingIn = null;
    });
    return this.#takingIn;
  }

  async #load(): Promise<Session | null> {
    const { db, log, id } = this.#ports;
    const session = await findSession(db, id);
    if (!session || hasEnded(session)) return session;
    const [messages, context] = await Promise.all([
      readLog(db, session.id, session.lastSeq),
      readTurnContext(db, session),
    ]);
    log.load(session, messages, context);
    return this.startIfDue(session);
  }

  /** @returns the session as it is now. One that has ended and stays so is changed where it lives, in the index database */
  change(change: (session: Session) => Outcome<Session>): Promise<Outcome<Session>> {
    return this.#changes.run(async () => {
      const { db, log } = this.#ports;
      const session = await this.load();
      if (!session) return notFound("session");
      const changed = change(session);
      if (!changed.ok) return changed;
      if (!log.state) {
        if (hasEnded(changed.value)) {
          await writeSession(db, changed.value, [], true);
          return changed;
        }
        log.load(session, await readLog(db, session.id, session.lastSeq), await readTurnContext(db, session));
      }
      if (changed.value !== log.state?.session) this.#amend(changed.value);
      return changed;
    });
  }

  /** Does a job while nothing else changes the session. */
  exclusively<T>(job: () => Promise<T>): Promise<T> {
    return this.#changes.run(job);
  }

  startIfDue(session: Session): Session {
    const started = startIfDue(session, now());
    if (started !== session) this.#amend(started);
    return started;
  }

  #amend(session: Session): void {
    this.#ports.log.amend(session);
    this.#ports.changed(session);
  }
}
