/**
 * Series of prompts that an attack module made out of one: each is a turn of its own, one after another. Prompts of other
 * callers may come between them. A series lives in the object's memory, so it ends with the object; the turns so far stay.
 *
 * Effects: those of the turns, by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { rootCause } from "../core/failure.ts";
import { success } from "../core/failure.ts";
import type { Attack } from "../core/message.ts";
import type { TurnSeriesReport } from "../core/turn.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { Prompts } from "./prompts.ts";
import type { SessionLoader } from "./session-loader.ts";
import type { AcceptedPrompt, TurnSeriesParams } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";

export class TurnSeries {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #prompts: Prompts;
  /** Counts the calls that stop all series. */
  #stops = 0;

  constructor(world: SessionWorld, loader: SessionLoader, prompts: Prompts) {
    this.#world = world;
    this.#loader = loader;
    this.#prompts = prompts;
  }

  /**
   * Starts the first turn, and the others when it has ended. A repeated call with the same key starts nothing.
   *
   * @returns the failures of a single prompt
   */
  async start({ contents, attack, key }: TurnSeriesParams): Promise<Outcome<null>> {
    const active = await this.#loader.findActive();
    if (!active.ok) return active;
    const report = this.#world.reportTurns(active.value);
    const [first, ...others] = contents;
    if (first === undefined) {
      this.#world.keepAlive(report.end());
      return success(null);
    }
    const accepted = await this.#prompts.submit(first, fromSameCaller(key, attack), { attack });
    if (!accepted.ok) return accepted;
    if (!accepted.value.replayed) this.#world.keepAlive(this.#run(accepted.value, others, attack, report));
    return success(null);
  }

  /** Ends all series. The turns that run or wait are stopped elsewhere. */
  stopAll(): void {
    this.#stops += 1;
  }

  async #run(first: AcceptedPrompt, others: string[], attack: Attack, report: TurnSeriesReport): Promise<void> {
    const stops = this.#stops;
    try {
      let turn: AcceptedPrompt | null = first;
      for (const content of [...others, null]) {
        const finished = await turn.submitted?.finished;
        if (!finished?.ok) return;
        report.add(finished.value.added);
        if (content === null || this.#stops !== stops) return;
        const next = await this.#prompts.submit(content, null, { attack, isNext: true });
        if (!next.ok) return;
        turn = next.value;
      }
    } catch (error) {
      console.error({ event: "turn-series-broke-off", sessionId: this.#world.id, error: rootCause(error) });
    } finally {
      await report.end();
    }
  }
}

/** A key that was used for a prompt alone is another one. */
const fromSameCaller = (key: IdempotencyKey | null, { module }: Attack): IdempotencyKey | null =>
  key && { ...key, key: `${key.key} ${module}` };
