/**
 * Replicates the log of a session to D1: at least once, in order, one batch at a time. Messages that are appended
 * during a write go into the next batch. The alarm retries what fails.
 *
 * This folder copies the log to D1: this file writes, `alarm-schedule.ts` has the due times of the object. The SQL for
 * D1 does not belong here: that is in `store/`. Effects: D1, the object's alarm and storage, timers, the clock.
 */
import { rootCause } from "../../core/failure.ts";
import type { Message } from "../../core/message.ts";
import type { ChangeableField, Session } from "../../core/session.ts";
import { revision } from "../../core/session.ts";
import { now } from "../../core/time.ts";
import type { EpochMs } from "../../core/time.ts";
import { database } from "../../store/database.ts";
import { writeMessages } from "../../store/write-messages.ts";
import { addDeadLetter } from "../../store/dead-letters.ts";
import { writeSession } from "../../store/sessions.ts";
import type { Log } from "../log/log.ts";

/**
 * Messages per batch: a turn of 64 replies goes in one. With the session's row, it stays well below D1's limits per
 * batch.
 */
const BATCH_MESSAGES = 100;

/** When the alarm checks whether all changes were replicated, in milliseconds after the first change. */
const CHECK_DELAY_MS = 30_000;

/** After so many failures in a row, messages are written one by one, to find the one that D1 rejects. */
const FAILURES_BEFORE_SINGLE_WRITES = 3;

/** Errors by which D1 rejects the row itself. All other errors can be temporary. https://www.sqlite.org/rescode.html */
const REJECTED_ROW = /SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)/;

const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

interface ReplicatorPorts {
  d1: D1Database;
  storage: DurableObjectStorage;
  /** Whether messages can share a transaction with messages of other sessions. */
  groupCommit: boolean;
  /** The longest that an answer waits for D1, in milliseconds. */
  maxWaitMs: number;
  /** When the alarm must run at the latest, for other reasons. */
  nextAlarm: () => EpochMs;
  /** Called when D1 has all changes. */
  onReplicated: () => Promise<void>;
}

/** Runs at most one replication at a time. Create one per object. */
export class Replicator {
  readonly #log: Log;
  readonly #ports: ReplicatorPorts;
  #running: Promise<void> | null = null;
  #waiting: { revision: number; resolve: () => void }[] = [];
  #alarmSet = false;
  #failures = 0;
  /** How long the last write to D1 took, in milliseconds; `null` before the first. */
  #lastWriteMs: number | null = null;

  constructor(log: Log, ports: ReplicatorPorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Starts replication, unless it runs or waits for a retry. Call it in the transaction of the change. */
  start(): void {
    this.startByAlarm();
    if (this.#failures === 0) void this.#run();
  }

  /** Sets an alarm in the transaction of the change, so that replication completes even if the object stops. */
  startByAlarm(): void {
    if (!this.#alarmSet) this.#setAlarm(CHECK_DELAY_MS);
  }

  /**
   * Waits until D1 has all changes so far, so that lists show them when an answer leaves. For at most twice as long as
   * the last write took, and not at all where D1 is too far away to wait for.
   */
  async waitIfQuick(): Promise<void> {
    const { maxWaitMs } = this.#ports;
    const expectedMs = this.#lastWriteMs ?? maxWaitMs / 2;
    if (expectedMs <= maxWaitMs) await this.waitUntilReplicated(Math.min(2 * expectedMs, maxWaitMs));
  }

  /** Waits until D1 has all changes so far, replication fails, or the time is over. */
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

  /** Whether an alarm is set for changes that D1 may not have. */
  get needsAlarm(): boolean {
    return this.#alarmSet;
  }

  /** Replicates the remaining changes, for the alarm. Sets a new alarm on failure. Never throws. */
  async retry(): Promise<void> {
    this.#alarmSet = false;
    await this.#run();
    if (this.#failures === 0 && this.#log.state) this.#log.saveCursor();
  }

  #run(): Promise<void> {
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = null;
      this.#resolveWaiting(Infinity);
    });
    return this.#running;
  }

  async #writeAll(): Promise<void> {
    try {
      do {
        while (await this.#writeNext());
        this.#failures = 0;
        await this.#ports.onReplicated();
        // Something may have changed meanwhile, and nothing else starts while this runs.
      } while (this.#isBehind);
      // Deleting the storage has deleted the alarm.
      if (!this.#log.state) this.#alarmSet = false;
    } catch (error) {
      console.error({ event: "replication-failed", failures: this.#failures, error: rootCause(error) });
      this.#setAlarm(this.#backoff());
      this.#failures += 1;
    }
  }

  get #isBehind(): boolean {
    const { state } = this.#log;
    return state !== null && revision(state.replicated) !== revision(state.session);
  }

  /** @returns whether there was anything to replicate */
  async #writeNext(): Promise<boolean> {
    if (!this.#isBehind) return false;
    const { session, replicated } = this.#log.loadedState;
    const messages = this.#log.unreplicated(this.#failures < FAILURES_BEFORE_SINGLE_WRITES ? BATCH_MESSAGES : 1);
    const lastSeq = messages.at(-1)?.seq ?? replicated.lastSeq;
    const writesSession = this.#writesSession(lastSeq);
    const startedAt = now();
    try {
      await this.#write(session, messages, writesSession ? this.#log.changedFields : null);
    } catch (error) {
      const [message] = messages;
      if (!message || !this.#isRejectedRow(messages, error)) throw error;
      await this.#addDeadLetter(session, message, error);
      this.#log.setReplicated({ ...replicated, lastSeq });
      return true;
    }
    this.#lastWriteMs = now() - startedAt;
    const { metadataVersion } = writesSession ? session : replicated;
    this.#log.setReplicated({ lastSeq, metadataVersion });
    this.#resolveWaiting(lastSeq + metadataVersion);
    return true;
  }

  /** Whether the session has changed. A count of messages is written with the last of them, because each adds to it. */
  #writesSession(lastSeq: number): boolean {
    const { session, replicated } = this.#log.loadedState;
    if (session.metadataVersion <= replicated.metadataVersion) return false;
    return lastSeq === session.lastSeq || !this.#log.changedFields.includes("messageCount");
  }

  /** @param changed the fields of the session that have changed; `null` if only messages were added */
  #write(session: Session, messages: Message[], changed: readonly ChangeableField[] | null): Promise<void> {
    const { d1, storage, groupCommit } = this.#ports;
    const db = database(d1);
    // After a failure, write without other sessions, so that another failure does not affect them.
    if (changed !== null || this.#failures > 0 || !groupCommit) return writeSession(db, session, messages, changed);
    return writeMessages(db, session.id, messages, session.updatedAt, () => storage.sync());
  }

  /** Whether D1 rejects one message again and again, for a reason in its row. */
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

/** The first line of the error's root cause. */
const reasonOf = (error: unknown): string => rootCause(error).split("\n")[0] ?? "";
