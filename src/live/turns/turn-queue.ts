/**
 * The turns of a session: one runs, up to 16 wait, and each can be stopped. This file has only the order of turns.
 *
 * This folder runs prompts: `plan-turn.ts`, `chat-plan.ts` and `comparison-plan.ts` prepare the calls, `turn-runner.ts` runs one turn,
 * `make-summary.ts` asks for what a call needs, `call-endpoints.ts` makes the calls, `turn-messages.ts` and `append-messages.ts` write the results. Effects: those of the turns, by the
 * injected world.
 */
import type { Failed, Outcome } from "../../core/failure.ts";
import { failed, success } from "../../core/failure.ts";
import { newObjectId } from "../../core/id.ts";
import type { SessionLoader } from "../session-loader.ts";
import type { SessionWorld } from "../session-world.ts";
import type { SessionEvent } from "../streaming/events.ts";
import { appendMessages } from "./append-messages.ts";
import { requireLastSeq } from "../../core/message-tree.ts";
import { planTurn, sentPrompts } from "./plan-turn.ts";
import type { Prompt } from "./prompt.ts";
import { TaskQueue } from "./task-queue.ts";
import { interruptedReplies } from "./turn-messages.ts";
import { TurnRunner, TurnSignals } from "./turn-runner.ts";
import type { TurnResult } from "./turn-runner.ts";

/** The most turns that can wait. */
const MAX_WAITING_TURNS = 16;

/** When to retry if the queue is full, in seconds. */
const QUEUE_RETRY_SECONDS = 5;

/** An accepted prompt: its turn waits or runs. */
export interface SubmittedTurn {
  turnId: string;
  prompt: Prompt;
  /** Resolves when the turn starts, or with the reason why it does not. */
  started: Promise<Outcome<null>>;
  /** Resolves when the turn has ended. */
  finished: Promise<Outcome<TurnResult>>;
}

/** What controls a submitted turn. */
interface TurnControl {
  signals: TurnSignals;
  /** Resolves `started`. Later calls have no effect. */
  resolveStarted: (outcome: Outcome<null>) => void;
  /** Why the turn will not run; `null` while it may. */
  rejection: Failed | null;
}

export class TurnQueue {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #queue = new TaskQueue();
  readonly #submitted = new Map<string, { control: TurnControl; turn: SubmittedTurn }>();
  #current: TurnSignals | null = null;
  #runner: TurnRunner | null = null;

  constructor(world: SessionWorld, loader: SessionLoader) {
    this.#world = world;
    this.#loader = loader;
  }

  /**
   * @param onAccepted called with the turn's id before the turn can start
   * @param isNext whether it follows a turn of the same series, which has ended: then it always finds a place
   */
  submit(prompt: Prompt, onAccepted: (turnId: string) => void, isNext = false): Outcome<SubmittedTurn> {
    if (!isNext && this.#queue.waiting >= MAX_WAITING_TURNS) {
      return failed({ reason: "turn-queue-full", retryAfterSeconds: QUEUE_RETRY_SECONDS });
    }
    const signals = new TurnSignals(prompt.resumed?.turn.turnId ?? newObjectId(this.#world.clock()));
    const { turnId } = signals;
    onAccepted(turnId);
    const { promise: started, resolve, reject } = Promise.withResolvers<Outcome<null>>();
    const control: TurnControl = { signals, resolveStarted: resolve, rejection: null };
    const finished = this.#queue.run(() => this.#run(control, prompt));
    const turn = { turnId, prompt, started, finished };
    this.#submitted.set(turnId, { control, turn });
    const remove = () => {
      this.#submitted.delete(turnId);
      this.#world.log.results.waiting.take(turnId);
    };
    finished.then(remove, remove);
    finished.catch(reject);
    return success(turn);
  }

  /** Finds a turn that waits or runs. */
  find(turnId: string): SubmittedTurn | null {
    return this.#submitted.get(turnId)?.turn ?? null;
  }

  /** Whether a turn runs or is about to. */
  get isRunning(): boolean {
    return this.#current !== null;
  }

  /** The events so far of the replies that run, for a new subscriber. */
  runningReplyEvents(): SessionEvent[] {
    return this.#runner?.runningReplyEvents() ?? [];
  }

  /**
   * Stops the running turn, or one of its chats.
   *
   * @returns the turn's id, or `null` if no turn runs
   */
  stop(chatId: string | null): string | null {
    this.#current?.stop(chatId);
    return this.#current?.turnId ?? null;
  }

  /** Stops a turn that waits or runs. Resolves when it has ended. @returns whether there was one */
  async stopTurn(turnId: string): Promise<boolean> {
    const submitted = this.#submitted.get(turnId);
    submitted?.control.signals.stop(null);
    await submitted?.turn.finished;
    return submitted !== undefined;
  }

  /** Stops the running turn and all waiting ones. Each is logged as cancelled. */
  stopAll(): void {
    for (const { control } of this.#submitted.values()) control.signals.stop(null);
  }

  /**
   * Rejects all turns that wait, even if the session takes prompts again before their turn comes. Resolves when those
   * who wait for a start know. Call it while no turn runs.
   */
  async rejectWaiting(rejection: Failed): Promise<void> {
    const waiting = [...this.#submitted.values()];
    for (const { control } of waiting) {
      control.rejection = rejection;
      control.resolveStarted(rejection);
    }
    await Promise.allSettled(waiting.map(({ turn }) => turn.started));
  }

  /** Stops the running turn, and runs a task before the next turn. @param as how the turn ends */
  interrupt<T>(task: () => Promise<T>, as?: "human"): Promise<T> {
    this.#current?.stop(null, as);
    return this.#queue.runFirst(task);
  }

  /**
   * Closes a turn that was interrupted when the object stopped, with the text that was saved. @returns whether there
   * was one
   */
  closeInterrupted(): boolean {
    const { log, clock, emit } = this.#world;
    if (!log.state?.turn || this.#current) return false;
    const { session, turn } = log.state;
    const pending = log.pendingChats();
    const sent = sentPrompts(log, session, turn).filter(({ chatId }) => pending.includes(chatId));
    appendMessages(this.#world, interruptedReplies(turn, sent, log.drafts(), clock()));
    log.endTurn();
    emit({ type: "turn-ended", turnId: turn.turnId, status: "error" });
    return true;
  }

  async #run(control: TurnControl, prompt: Prompt): Promise<Outcome<TurnResult>> {
    if (control.rejection) return control.rejection;
    const { signals } = control;
    this.#current = signals;
    const reject = (failure: Failed) => {
      control.resolveStarted(failure);
      return failure;
    };
    try {
      const active = await this.#loader.findActive();
      if (!active.ok) return reject(active);
      const unchanged = requireLastSeq(active.value, prompt.expectedSeq);
      if (!unchanged.ok) return reject(unchanged);
      const runner = new TurnRunner(this.#world, signals, active.value);
      const leaveToHuman = () => {
        if (prompt.isVariant) return reject(failed({ reason: "human-handles" }));
        control.resolveStarted(success(null));
        return success(runner.leaveToHuman(prompt));
      };
      if (active.value.handler === "human") return leaveToHuman();
      const plan = await planTurn(this.#world, active.value, prompt);
      if (!plan.ok) return reject(plan);
      if (signals.stoppedAs === "human") return leaveToHuman();
      const stillUnchanged = requireLastSeq(this.#world.log.loadedState.session, prompt.expectedSeq);
      if (!stillUnchanged.ok) return reject(stillUnchanged);
      this.#runner = runner;
      control.resolveStarted(success(null));
      return success(await runner.run(plan.value, prompt));
    } finally {
      this.#current = null;
      this.#runner = null;
    }
  }
}
