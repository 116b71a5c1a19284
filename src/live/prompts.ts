/**
 * Prompts to a session: each starts a turn, once per idempotency key. The commands of the room for everything else are in
 * `session-room.ts`, and the order of turns is in `turns/`.
 *
 * Effects: those of the turns, by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, success } from "../core/failure.ts";
import type { Attack, Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import { findResult, saveResultAtStart } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { SavedResult } from "./log/waiting-results.ts";
import { makeResult } from "./make-result.ts";
import type { InRoom } from "./passed-messages.ts";
import type { SessionLoader } from "./session-loader.ts";
import type { AcceptedPrompt, History, PromptResult, RecordOptions } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import type { Prompt } from "./turns/plan-turn.ts";
import type { TurnQueue } from "./turns/turn-queue.ts";

/** What a prompt of a series has besides. */
interface SeriesOptions {
  attack?: Attack;
  /** Whether it follows a turn of the same series. */
  isNext?: boolean;
}

const attackOf = ({ attack }: SeriesOptions) => (attack ? { attack } : {});

export class Prompts {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;
  readonly #turns: TurnQueue;

  constructor(world: SessionWorld, loader: SessionLoader, turns: TurnQueue) {
    this.#world = world;
    this.#loader = loader;
    this.#turns = turns;
  }

  /**
   * Accepts a prompt, once per idempotency key: a repeated call gets the same turn. In a chatbot session, a repeated
   * call runs a failed turn again, without appending the prompt again.
   *
   * @returns `session-not-active`, `session-full`, `turn-queue-full`, or `idempotency-conflict` if the key was used for
   * another prompt
   */
  async submit(
    content: string,
    key: IdempotencyKey | null,
    series: SeriesOptions = {},
  ): Promise<Outcome<AcceptedPrompt>> {
    await this.#loader.load();
    const { log } = this.#world;
    // No await from here on, so that the lookup, the turn and the saved result are one transaction.
    if (log.state?.removed !== false) return failed({ reason: "session-not-active" });
    const saved = findResult(log, key, { content });
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const earlier = saved && this.#earlierTurn(saved);
    if (earlier) return success(earlier);
    const active = this.#loader.active;
    if (!active.ok) return active;
    const prompt = { content, seq: saved && this.#promptSeq(saved), ...attackOf(series) };
    return this.#startTurn(prompt, key, series.isNext);
  }

  /** Accepts a prompt and waits for the replies. Failed replies are in the log like any other. */
  async run(
    content: string,
    history: History,
    key: IdempotencyKey | null,
    options: RecordOptions = {},
  ): Promise<Outcome<InRoom<PromptResult>>> {
    const accepted = await this.submit(content, key);
    if (!accepted.ok) return accepted;
    const { submitted, replayed } = accepted.value;
    const finished = submitted
      ? await submitted.finished
      : success({ added: this.messagesOf(accepted.value), retryAfterSeconds: null });
    if (!finished.ok) return finished;
    const { added, retryAfterSeconds } = finished.value;
    const result = makeResult(this.#world.log, added, history, { ...options, replayed });
    await this.#world.replication.waitIfQuick();
    return success({ ...result, retryAfterSeconds });
  }

  /** The messages of an earlier turn; of a repeated prompt that was left to a person, the prompt. */
  messagesOf({ turnId, leftSeq }: AcceptedPrompt): Message[] {
    const { log } = this.#world;
    return leftSeq === undefined ? log.messagesOfTurn(turnId) : log.messages(leftSeq - 1, 1).items;
  }

  #startTurn(prompt: Prompt, key: IdempotencyKey | null, isNext = false): Outcome<AcceptedPrompt> {
    const { log, clock, replication, keepAlive } = this.#world;
    const { content, seq } = prompt;
    const saveResult = (turnId: string) => saveResultAtStart(log, key, { content }, { seq, turn_id: turnId }, clock());
    const submitted = this.#turns.submit(prompt, saveResult, isNext);
    if (!submitted.ok) return submitted;
    const { turnId, finished } = submitted.value;
    // The turn continues even if the caller disconnects.
    keepAlive(finished.finally(() => replication.start()));
    return success({ turnId, submitted: submitted.value, replayed: false });
  }

  /** The turn that a key started. `null` if it failed or was lost before it started: then it runs again. */
  #earlierTurn({ turn_id: turnId, seq }: SavedResult): AcceptedPrompt | null {
    const { log } = this.#world;
    if (turnId === null) return null;
    const submitted = this.#turns.find(turnId);
    if (submitted) return { turnId, submitted, replayed: true };
    const last = log.messagesOfTurn(turnId).at(-1);
    if (last) return hasFailed(log.loadedState.session, last) ? null : { turnId, submitted: null, replayed: true };
    // A repeated prompt that was left to a person. Any other turn that has ended has a message of its own.
    const isLeft = seq !== null && log.hasTurn(turnId);
    return isLeft ? { turnId, submitted: null, replayed: true, leftSeq: seq } : null;
  }

  /** The `seq` of the prompt of an earlier turn. A repeated turn does not append its prompt again. */
  #promptSeq({ turn_id: turnId, seq }: SavedResult): number | null {
    const messages = turnId === null ? [] : this.#world.log.messagesOfTurn(turnId);
    return messages.find(({ role }) => role === "user")?.seq ?? seq;
  }
}

/** Whether a turn failed, by its last message. Without a reply it did not: it was left to a person. */
const hasFailed = ({ kind }: Session, { reply }: Message): boolean => kind === "chatbot" && reply?.status === "error";
