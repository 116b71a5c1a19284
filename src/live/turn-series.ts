/**
 * Series of prompts that an attack module made out of one: each is a turn of its own, one after another. Prompts of other
 * callers may come between them. Who stops a turn of a series ends it. A series lives in the object's memory, so it ends
 * with the object; the turns so far stay.
 *
 * Effects: those of the turns, by the room and its world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, rootCause, success } from "../core/failure.ts";
import type { Attack } from "../core/message.ts";
import type { TurnSeriesReport } from "../core/turn.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { AcceptedPrompt, TurnSeriesParams } from "./session-results.ts";
import type { SessionRoom } from "./session-room.ts";
import type { SessionWorld } from "./session-world.ts";

export class TurnSeries {
  readonly #world: SessionWorld;
  readonly #room: SessionRoom;

  constructor(world: SessionWorld, room: SessionRoom) {
    this.#world = world;
    this.#room = room;
  }

  /**
   * Starts the first turn, and the others when it has ended. A repeated call with the same key starts nothing.
   *
   * @returns the failures of a single prompt
   */
  async start({ contents, attack, key }: TurnSeriesParams): Promise<Outcome<null>> {
    const session = await this.#room.load();
    if (session?.status !== "ACTIVE") return failed({ reason: "session-not-active" });
    const [first, ...others] = contents;
    if (first === undefined) {
      this.#world.keepAlive(this.#world.reportTurns(session).end());
      return success(null);
    }
    const accepted = await this.#room.submitPrompt({ content: first }, ofModule(key, attack), { attack });
    if (!accepted.ok) return accepted;
    const report = this.#world.reportTurns(session);
    if (!accepted.value.replayed) this.#world.keepAlive(this.#run(accepted.value, others, attack, report));
    return success(null);
  }

  async #run(first: AcceptedPrompt, others: string[], attack: Attack, report: TurnSeriesReport): Promise<void> {
    try {
      let turn = first;
      for (const content of [...others, null]) {
        const finished = await turn.submitted?.finished;
        if (!finished?.ok) return;
        report.add(finished.value.added);
        if (content === null || finished.value.stopped) return;
        const next = await this.#room.submitPrompt({ content }, null, { attack, isNext: true });
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

/** The same key of a prompt alone, or of another module, is another one. */
const ofModule = (key: IdempotencyKey | null, { module }: Attack): IdempotencyKey | null =>
  key && { ...key, key: `${key.key} ${module}` };
