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
const BATCH_MESSAGES = 50;

/** How long after the first change of a burst the alarm looks whether all of it was carried. */
const CHECK_INTERVAL_MS = 30_000;

/** How long a prompt and its first replies wait for the others, to be carried with them. */
const COALESCE_MS = 1_000;

/** After how many failures in a row messages are carried one by one, to find the one that cannot be. */
const FAILURES_BEFORE_SINGLE_WRITES = 3;

/**
 * How D1 says that it is the row that it will not take, whatever the time: all else may pass. https://www.sqlite.org/rescode.html
 */
const REJECTED_ROW = /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)/;

const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

interface ReplicatorPorts {
  d1: D1Database;
  storage: DurableObjectStorage;
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
  #startTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(log: Log, ports: ReplicatorPorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Starts carrying, unless that is under way or waits for a retry. Call it in the transaction of the change. */
  start(): void {
    this.#ensureAlarm();
    if (this.#failures === 0) void this.#run();
  }

  /** Starts carrying within a second, together with what comes until then. Call it in the transaction of the change. */
  startSoon(): void {
    this.#ensureAlarm();
    this.#startTimer ??= setTimeout(() => this.start(), COALESCE_MS);
  }

  /** Sets an alarm, durable with the change: whatever becomes of this object, someone looks whether all was carried. */
  #ensureAlarm(): void {
    if (!this.#alarmSet) this.#setAlarm(CHECK_INTERVAL_MS);
  }

  /** Waits until the index database has everything up to now, or it is known to be in trouble, or patience ends. */
  async waitUntilReplicated(timeoutMs: number): Promise<void> {
    const state = this.#log.state;
    if (!state || !this.#running) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push({ revision: revision(state.session), resolve: finish });
    });
  }

  /** The alarm's work: carries what is left, and comes again when that fails. Never throws. */
  async retry(): Promise<void> {
    this.#alarmSet = false;
    await this.#run();
    if (this.#failures === 0 && this.#log.state) this.#log.saveCursor();
  }

  #run(): Promise<void> {
    if (this.#startTimer !== null) clearTimeout(this.#startTimer);
    this.#startTimer = null;
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = null;
      this.#resolveWaiting(Infinity);
    });
    return this.#running;
  }

  async #writeAll(): Promise<void> {
    try {
      while (await this.#writeNext());
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
  async #writeNext(): Promise<boolean> {
    const state = this.#log.state;
    if (!state || revision(state.replicated) === revision(state.session)) return false;
    const { session, replicated } = state;
    const messages = this.#log.unreplicated(this.#failures < FAILURES_BEFORE_SINGLE_WRITES ? BATCH_MESSAGES : 1);
    const lastSeq = messages.at(-1)?.seq ?? replicated.lastSeq;
    try {
      await this.#write(session, messages, session.metadataVersion > replicated.metadataVersion);
    } catch (error) {
      const [message] = messages;
      if (!message || !this.#isRejectedRow(messages, error)) throw error;
      await this.#addDeadLetter(session, message, error);
      this.#log.setReplicated({ ...replicated, lastSeq });
      return true;
    }
    this.#log.setReplicated({ lastSeq, metadataVersion: session.metadataVersion });
    this.#resolveWaiting(lastSeq + session.metadataVersion);
    return true;
  }

  /** @param withSession whether more than the log has changed */
  #write(session: Session, messages: Message[], withSession: boolean): Promise<void> {
    const { d1, storage } = this.#ports;
    const db = database(d1);
    // What failed goes alone: the next failure is its own, and spoils nobody else's.
    if (withSession || this.#failures > 0) return writeSession(db, session, messages, withSession);
    return writeMessages(db, session.id, messages, session.updatedAt, () => storage.sync());
  }

  /** One message that fails again and again, where others can be written, is left behind: it must not stop the rest. */
  #isRejectedRow(messages: Message[], error: unknown): boolean {
    return (
      messages.length === 1 && this.#failures >= FAILURES_BEFORE_SINGLE_WRITES && REJECTED_ROW.test(reasonOf(error))
    );
  }

  /** Records a message that D1 rejects, so that it does not block the messages after it. */
  async #addDeadLetter(session: Session, { seq }: Message, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    await addDeadLetter(database(this.#ports.d1), { sessionId: session.id, seq, error: reason, at: now() });
    this.#log.addDeadLetter(seq);
    console.error({ event: "message-dead-lettered", sessionId: session.id, seq, error: reason });
  }

  #resolveWaiting(replicated: number): void {
    const [done, waiting] = [
      this.#waiting.filter((waiter) => waiter.revision <= replicated),
      this.#waiting.filter((waiter) => waiter.revision > replicated),
    ];
    this.#waiting = waiting;
    for (const { resolve } of done) resolve();
  }

  #backoff(): number {
    const maxDelay = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** this.#failures);
    return maxDelay * (0.5 + Math.random() / 2);
  }

  #setAlarm(delayMs: number): void {
    this.#alarmSet = true;
    void this.#ports.storage.setAlarm(Math.min(now() + delayMs, this.#ports.nextAlarm()));
  }
}

/** The first line of the cause. */
const reasonOf = (error: unknown): string => rootCause(error).split("\n")[0] ?? "";
