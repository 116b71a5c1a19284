/**
 * Puts a recorded conversation again: one turn after another, each by the room's command for prompts. How far it goes is in
 * the object's storage, and how far it has come follows from the log. So it goes on without its caller, and after the object
 * stopped: a turn that broke off goes on with the chats that have no reply.
 *
 * What a turn sends is planned in `turns/`. Effects: those of the turns, by the room's world.
 */
import type { Bridge } from "../core/bridge.ts";
import type { Outcome } from "../core/failure.ts";
import { failed, invalid, rootCause, success } from "../core/failure.ts";
import { makeResult } from "./make-result.ts";
import type { ResultInRoom } from "./passed-messages.ts";
import type { Prompts } from "./prompts.ts";
import type { SessionLoader } from "./session-loader.ts";
import type { History, RecordOptions, ReplayRange } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";

/** A replay that runs, or has nothing to do. */
export interface StartedReplay {
  bridge: Bridge;
  /** Resolves when the turns of the call were put, or when the replay ends before: with why, or after a stop. */
  finished: Promise<Outcome<null>>;
}

interface Waiter {
  to: number;
  resolve: (outcome: Outcome<null>) => void;
  reject: (error: unknown) => void;
}

export class ConversationReplay {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #prompts: Prompts;
  #isRunning = false;
  #waiting: Waiter[] = [];

  constructor(world: SessionWorld, loader: SessionLoader, prompts: Prompts) {
    this.#world = world;
    this.#loader = loader;
    this.#prompts = prompts;
  }

  /**
   * Starts a replay of the turns that were not put yet, or joins the one that runs.
   *
   * @returns `session-not-active`, `session-full`, `not-from-a-chat`, `turns-left-out` if `from` is after the first turn that
   * was not put, `invalid`
   */
  async start(range: ReplayRange): Promise<Outcome<StartedReplay>> {
    const active = await this.#loader.findActive();
    if (!active.ok) return active;
    const { bridge } = active.value;
    if (!bridge) return failed({ reason: "not-from-a-chat" });
    const { log } = this.#world;
    const checked = checkRange(range, bridge, log.chats.recorded.turnsPut);
    if (!checked.ok) return checked;
    const to = checked.value;
    if (this.#hasEnded(to)) return success({ bridge, finished: Promise.resolve(success(null)) });
    log.setReplay({ to: Math.max(to, log.loadedState.replay?.to ?? 0) });
    void this.#world.scheduleAlarm();
    const finished = new Promise<Outcome<null>>((resolve, reject) => this.#waiting.push({ to, resolve, reject }));
    this.resume();
    return success({ bridge, finished });
  }

  /** Puts turns, and waits for their replies: the history, or what they have added. */
  async run(range: ReplayRange, history: History, options: RecordOptions = {}): Promise<ResultInRoom> {
    const started = await this.start(range);
    if (!started.ok) return started;
    const { log, replication } = this.#world;
    const after = log.loadedState.session.lastSeq;
    const finished = await started.value.finished;
    if (!finished.ok) return finished;
    await replication.waitIfQuick();
    const { session } = log.loadedState;
    if (history === "whole") return success(makeResult(log, [], history, options));
    return success({ session, messages: [], after, upTo: session.lastSeq });
  }

  /** Goes on with a replay that has not come to its end. Its next turn then comes before any other. */
  resume(): void {
    if (this.#isRunning || !this.#world.log.state?.replay) return;
    this.#isRunning = true;
    this.#world.keepAlive(this.#putAll());
  }

  /** Ends the replay with the turn that runs. */
  cancel(): void {
    const { log } = this.#world;
    if (log.state?.replay) log.setReplay(null);
  }

  async #putAll(): Promise<void> {
    try {
      this.#end(await this.#putTurns());
    } catch (error) {
      // What the platform throws passes: the alarm, or the same call, goes on.
      this.#isRunning = false;
      console.error({ event: "replay-broke-off", sessionId: this.#world.id, error: rootCause(error) });
      for (const { reject } of this.#take(Infinity)) reject(error);
    }
  }

  async #putTurns(): Promise<Outcome<null>> {
    for (let turn = this.#nextTurn(); turn !== null; turn = this.#nextTurn()) {
      const accepted = this.#prompts.submitNow({ recordedTurn: turn }, null, { isNext: true });
      if (!accepted.ok) return accepted;
      const finished = await accepted.value.submitted?.finished;
      if (finished?.ok === false) return finished;
      this.#world.emit({ type: "replay-progress", turn, of: this.#turns });
      for (const { resolve } of this.#take(turn)) resolve(success(null));
      if (finished?.value.stopped) break;
    }
    return success(null);
  }

  /** Has no await, so that a call that comes meanwhile finds a replay that runs, or none. */
  #end(outcome: Outcome<null>): void {
    this.#isRunning = false;
    this.cancel();
    for (const { resolve } of this.#take(Infinity)) resolve(outcome);
  }

  /** The number of the turn to put: first one that broke off. `null` for none. */
  #nextTurn(): number | null {
    const { state, chats } = this.#world.log;
    if (!state?.replay || state.removed) return null;
    if (state.turn?.recordedTurn !== undefined) return state.turn.recordedTurn;
    const { turnsPut } = chats.recorded;
    return turnsPut < state.replay.to ? turnsPut + 1 : null;
  }

  get #turns(): number {
    return this.#world.log.state?.session.bridge?.turns ?? 0;
  }

  #hasEnded(turn: number): boolean {
    const { chats, loadedState } = this.#world.log;
    return chats.recorded.turnsPut >= turn && (loadedState.turn?.recordedTurn ?? Infinity) > turn;
  }

  /** Removes and returns those who wait for a turn. */
  #take(turn: number): Waiter[] {
    const taken = this.#waiting.filter(({ to }) => to <= turn);
    this.#waiting = this.#waiting.filter(({ to }) => to > turn);
    return taken;
  }
}

/** @returns the last turn to put */
function checkRange({ from, to }: ReplayRange, { turns }: Bridge, turnsPut: number): Outcome<number> {
  if (to !== undefined && to > turns) return invalid(["to"], `must be at most ${turns}: the chat has no more turns`);
  if (from !== undefined && from > turns)
    return invalid(["from"], `must be at most ${turns}: the chat has no more turns`);
  const next = turnsPut + 1;
  return from !== undefined && from > next ? failed({ reason: "turns-left-out", next }) : success(to ?? turns);
}
