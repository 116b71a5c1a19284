/**
 * The turns of a session: one runs, a few wait, and they can be stopped. Owns the order of turns; what a turn does is the
 * turn runner's.
 */
import type { Failed, Outcome } from "../../core/failure.ts";
import { failed, success } from "../../core/failure.ts";
import { newObjectId } from "../../core/id.ts";
import type { SessionLoader } from "../session-loader.ts";
import type { SessionWorld } from "../session-world.ts";
import type { SessionEvent } from "../streaming/events.ts";
import { appendMessages } from "./append-messages.ts";
import { planTurn } from "./plan-turn.ts";
import type { Prompt } from "./plan-turn.ts";
import { TaskQueue } from "./task-queue.ts";
import { interruptedReplies } from "./turn-messages.ts";
import { TurnRunner, TurnSignals } from "./turn-runner.ts";
import type { TurnResult } from "./turn-runner.ts";

/** How many turns may wait for the one that runs. */
const MAX_WAITING_TURNS = 16;

/** When to try again once the queue is full, in seconds. */
const QUEUE_RETRY_SECONDS = 5;

/** A prompt that was accepted: it waits or runs. */
export interface SubmittedTurn {
  turnId: string;
  /** Settles when the turn begins, or turns out not to. */
  started: Promise<Outcome<null>>;
  /** Settles when the turn is over. */
  finished: Promise<Outcome<TurnResult>>;
}

export class TurnQueue {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #queue = new TaskQueue();
  readonly #submitted = new Map<string, { signals: TurnSignals; turn: SubmittedTurn }>();
  #current: TurnSignals | null = null;
  #runner: TurnRunner | null = null;

  constructor(world: SessionWorld, loader: SessionLoader) {
    this.#world = world;
    this.#loader = loader;
  }

  submit(prompt: Prompt): Outcome<SubmittedTurn> {
    if (this.#queue.waiting >= MAX_WAITING_TURNS) {
      return failed({ reason: "turn-queue-full", retryAfterSeconds: QUEUE_RETRY_SECONDS });
    }
    const signals = new TurnSignals(newObjectId(this.#world.clock()));
    const { turnId } = signals;
    const started = Promise.withResolvers<Outcome<null>>();
    const finished = this.#queue.run(() => this.#run(signals, prompt, started.resolve));
    const turn = { turnId, started: started.promise, finished };
    this.#submitted.set(turnId, { signals, turn });
    const remove = () => void this.#submitted.delete(turnId);
    finished.then(remove, remove);
    finished.catch(started.reject);
    return success(turn);
  }

  /** A turn that waits or runs. */
  find(turnId: string): SubmittedTurn | null {
    return this.#submitted.get(turnId)?.turn ?? null;
  }

  /** Events of the replies in progress, for a subscriber who joins now. */
  runningReplyEvents(): SessionEvent[] {
    return this.#runner?.runningReplyEvents() ?? [];
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
    for (const { signals } of this.#submitted.values()) signals.stop(null);
  }

  /** Stops the turn that runs, and runs a task before any other turn begins. */
  interrupt<T>(task: () => Promise<T>): Promise<T> {
    this.stop(null);
    return this.#queue.runFirst(task);
  }

  /** Closes a turn that the object's last run left open, with the text that was saved. @returns whether there was one */
  closeInterrupted(): boolean {
    const { log, clock, emit } = this.#world;
    if (!log.state?.turn) return false;
    const { session, turn } = log.state;
    appendMessages(this.#world, interruptedReplies(session, turn, log.pendingChats(), log.drafts(), clock()));
    log.endTurn();
    emit({ type: "turn-ended", turnId: turn.turnId, status: "error" });
    return true;
  }

  async #run(
    signals: TurnSignals,
    prompt: Prompt,
    onStart: (outcome: Outcome<null>) => void,
  ): Promise<Outcome<TurnResult>> {
    this.#current = signals;
    const reject = (failure: Failed) => {
      onStart(failure);
      return failure;
    };
    try {
      const active = await this.#loader.findActive();
      if (!active.ok) return reject(active);
      const plan = await planTurn(this.#world, active.value, prompt);
      if (!plan.ok) return reject(plan);
      this.#runner = new TurnRunner(this.#world, signals, active.value);
      onStart(success(null));
      return success(await this.#runner.run(plan.value, prompt));
    } finally {
      this.#current = null;
      this.#runner = null;
    }
  }
}
