import type { Failed, Outcome } from "../../core/failure.ts";
import { failed, success } from "../../core/failure.ts";
import { newObjectId } from "../../core/id.ts";
import type { Session } from "../../core/session.ts";
import { now } from "../../core/time.ts";
import type { Database } from "../../store/database.ts";
import type { StreamEvent } from "../streaming/events.ts";
import { TaskQueue } from "./task-queue.ts";
import { planTurn } from "./plan-turn.ts";
import type { Prompt } from "./plan-turn.ts";
import { interruptedReplies } from "./turn-messages.ts";
import { TurnRunner, Turn } from "./turn-runner.ts";
import type { TurnResult, TurnPorts } from "./turn-runner.ts";

/** How many turns may wait behind the one that runs. */
const WAITING_TURNS = 16;

/** When to come again once the queue is full, in seconds. */
const QUEUE_RETRY_SECONDS = 5;

/** A prompt that was accepted. */
export interface SubmittedTurn {
  turnId: string;
  /** Settles when the turn begins, or turns out not to. */
  started: Promise<Outcome<null>>;
  /** Settles when the turn is over. */
  finished: Promise<Outcome<TurnResult>>;
}

interface QueuePorts extends TurnPorts {
  db: Database;
  /** The session if it takes messages now. */
  active: () => Promise<Outcome<Session>>;
}

/** The turns of a session: one runs, a few wait, and they can be stopped. */
export class TurnQueue {
  readonly #ports: QueuePorts;
  readonly #queue = new TaskQueue();
  readonly #accepted = new Map<string, { turn: Turn; submitted: SubmittedTurn }>();
  #current: Turn | null = null;
  #running: TurnRunner | null = null;

  constructor(ports: QueuePorts) {
    this.#ports = ports;
  }

  /** Puts a prompt in the queue. */
  submit(prompt: Prompt): Outcome<SubmittedTurn> {
    if (this.#queue.waiting >= WAITING_TURNS) {
      return failed({ reason: "turn-queue-full", retryAfterSeconds: QUEUE_RETRY_SECONDS });
    }
    const turn = new Turn(newObjectId(now()));
    const started = Promise.withResolvers<Outcome<null>>();
    const finished = this.#queue.run(() => this.#take(turn, prompt, started.resolve));
    const submitted = { turnId: turn.turnId, started: started.promise, finished };
    this.#accepted.set(turn.turnId, { turn, submitted });
    const over = () => void this.#accepted.delete(turn.turnId);
    finished.then(over, over);
    finished.catch(started.reject);
    return success(submitted);
  }

  /** A turn that waits or runs, by its id. */
  find(turnId: string): SubmittedTurn | null {
    return this.#accepted.get(turnId)?.submitted ?? null;
  }

  /** What someone who comes in now has missed of the replies under way. */
  soFar(): StreamEvent[] {
    return this.#running?.soFar() ?? [];
  }

  /**
   * Stops the turn that runs, or one chat of it.
   *
   * @returns its id, or `null` when none runs
   */
  stop(chatId: string | null): string | null {
    this.#current?.stop(chatId);
    return this.#current?.turnId ?? null;
  }

  /** Stops the turn that runs and all that wait: each is logged as cancelled. */
  stopAll(): void {
    for (const { turn } of this.#accepted.values()) turn.stop(null);
  }

  /** Stops the turn that runs, and does a job before any other turn begins. */
  interrupt<T>(job: () => Promise<T>): Promise<T> {
    this.stop(null);
    return this.#queue.runFirst(job);
  }

  /** Closes a turn that this object's forerunner left behind, with what was kept of it. @returns whether there was one */
  closeInterrupted(): boolean {
    const { log, append, emit } = this.#ports;
    if (!log.state?.turn) return false;
    const { session, turn } = log.state;
    append(interruptedReplies(session, turn.turnId, log.pendingChats(), log.drafts(), now()));
    log.noteTurn(null);
    emit({ type: "turn-ended", turnId: turn.turnId, status: "error" });
    return true;
  }

  async #take(turn: Turn, prompt: Prompt, started: (outcome: Outcome<null>) => void): Promise<Outcome<TurnResult>> {
    this.#current = turn;
    const refused = (failure: Failed) => {
      started(failure);
      return failure;
    };
    try {
      const active = await this.#ports.active();
      if (!active.ok) return refused(active);
      const plan = await planTurn(this.#ports.db, this.#ports.log, active.value, prompt);
      if (!plan.ok) return refused(plan);
      this.#running = new TurnRunner(turn, active.value, this.#ports);
      started(success(null));
      return success(await this.#running.run(plan.value, prompt));
    } finally {
      this.#current = null;
      this.#running = null;
    }
  }
}
