import { rootCause } from "../../core/failure.ts";
import type { Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { revision } from "../../core/session.ts";
import { now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import { database } from "../../store/database.ts";
import { writeMessages } from "../../store/write-messages.ts";
import { addDeadLetter } from "../../store/dead-letters.ts";
import { writeSession } from "../../store/sessions.ts";
import type { Log } from "../log/log.ts";

/** Messages in one batch: with the session's own row well under what D1 takes in one. */
const BATCH = 50;

/** How long after the first change of a burst the alarm looks whether all of it was carried. */
const CHECK_MS = 30_000;

/** How long a prompt and its first replies wait for the others, to be carried with them. */
const GATHER_MS = 1_000;

/** After how many failures in a row messages are carried one by one, to find the one that cannot be. */
const FAILURES_TO_DOUBT = 3;

/**
 * How D1 says that it is the row that it will not take, whatever the time: all else may pass. https://www.sqlite.org/rescode.html
 */
const REFUSED_ROW = /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)/;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

interface ReplicatorPorts {
  d1: D1Database;
  storage: DurableObjectStorage;
  /** Whether messages may be written in one transaction with those of other sessions. */
  groupCommit: boolean;
  /** When the object is to be woken at the latest, for whatever else. */
  nextAlarm: () => EpochMs;
  /** Called when the index database has everything. */
  onReplicated: () => Promise<void>;
}

/**
 * Carries a log to the index database: at least once, in order, one batch at a time, so that what is appended while one
 * is under way gathers into the next.
 */
export class Replicator {
  readonly #log: Log;
  readonly #ports: ReplicatorPorts;
  #running: Promise<void> | null = null;
  #waiting: { revision: number; resolve: () => void }[] = [];
  #alarmSet = false;
  #failures = 0;
  #soon: ReturnType<typeof setTimeout> | null = null;

  constructor(log: Log, ports: ReplicatorPorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Starts carrying, unless that is under way or waits for a retry. Call it in the transaction of the change. */
  start(): void {
    this.#watch();
    if (this.#failures === 0) void this.#run();
  }

  /** Starts carrying within a second, together with what comes until then. Call it in the transaction of the change. */
  startSoon(): void {
    this.#watch();
    this.#soon ??= setTimeout(() => this.start(), GATHER_MS);
  }

  /** Sets an alarm, durable with the change: whatever becomes of this object, someone looks whether all was carried. */
  #watch(): void {
    if (!this.#alarmSet) this.#setAlarm(CHECK_MS);
  }

  /** Waits until the index database has everything up to now, or it is known to be in trouble, or patience ends. */
  async waitUntilReplicated(patienceMs: number): Promise<void> {
    const state = this.#log.state;
    if (!state || !this.#running) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push({ revision: revision(state.session), resolve: done });
    });
  }

  /** The alarm's work: carries what is left, and comes again when that fails. Never throws. */
  async retry(): Promise<void> {
    this.#alarmSet = false;
    await this.#run();
    if (this.#failures === 0 && this.#log.state) this.#log.saveCursor();
  }

  #run(): Promise<void> {
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
    this.#running ??= this.#carryAll().finally(() => {
      this.#running = null;
      this.#release(Infinity);
    });
    return this.#running;
  }

  async #carryAll(): Promise<void> {
    try {
      while (await this.#carryNext());
      this.#failures = 0;
      await this.#ports.onReplicated();
      // Emptied storage has no alarm left.
      if (!this.#log.state) this.#alarmSet = false;
    } catch (error) {
      console.error({ event: "replication-failed", failures: this.#failures, error: rootCause(error) });
      this.#setAlarm(this.#backoff());
      this.#failures += 1;
    }
  }

  /** @returns whether there was anything to carry */
  async #carryNext(): Promise<boolean> {
    const state = this.#log.state;
    if (!state || revision(state.replicated) === revision(state.session)) return false;
    const { session, replicated } = state;
    const messages = this.#log.unreplicated(this.#failures < FAILURES_TO_DOUBT ? BATCH : 1);
    const lastSeq = messages.at(-1)?.seq ?? replicated.lastSeq;
    try {
      await this.#carry(session, messages, session.metadataVersion > replicated.metadataVersion);
    } catch (error) {
      await this.#doubt(session, messages, error);
      this.#log.setReplicated({ ...replicated, lastSeq });
      return true;
    }
    this.#log.setReplicated({ lastSeq, metadataVersion: session.metadataVersion });
    this.#release(lastSeq + session.metadataVersion);
    return true;
  }

  /** @param whole whether more than the log has changed */
  #carry(session: Session, messages: Message[], whole: boolean): Promise<void> {
    const { d1, storage, groupCommit } = this.#ports;
    const db = database(d1);
    // What failed goes alone: the next failure is its own, and spoils nobody else's.
    if (whole || this.#failures > 0 || !groupCommit) return writeSession(db, session, messages, whole);
    return writeMessages(db, session.id, messages, session.updatedAt, () => storage.sync());
  }

  /** One message that fails again and again, where others can be written, is left behind: it must not stop the rest. */
  async #doubt(session: Session, messages: Message[], error: unknown): Promise<void> {
    const [suspect, ...others] = messages;
    const [reason = ""] = rootCause(error).split("\n");
    const doubtful = others.length === 0 && this.#failures >= FAILURES_TO_DOUBT && REFUSED_ROW.test(reason);
    if (!suspect || !doubtful) throw error;
    await addDeadLetter(database(this.#ports.d1), {
      sessionId: session.id,
      seq: suspect.seq,
      error: reason,
      at: now(),
    });
    this.#log.addDeadLetter(suspect.seq);
    console.error({ event: "message-dead-lettered", sessionId: session.id, seq: suspect.seq, error: reason });
  }

  #release(carried: number): void {
    const [done, waiting] = [
      this.#waiting.filter((w) => w.revision <= carried),
      this.#waiting.filter((w) => w.revision > carried),
    ];
    this.#waiting = waiting;
    for (const { resolve } of done) resolve();
  }

  #backoff(): number {
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    return longest * (0.5 + Math.random() / 2);
  }

  #setAlarm(inMs: number): void {
    this.#alarmSet = true;
    void this.#ports.storage.setAlarm(Math.min(now() + inMs, this.#ports.nextAlarm()));
  }
}
