/**
 * Prompts to a session: each starts a turn, once per idempotency key. So do the questions that make a variant: an earlier
 * prompt that is asked again, or changed. The commands of the room for everything else are in `session-room.ts`, and the
 * order of turns is in `turns/`.
 *
 * Effects: those of the turns, by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Attack, Message } from "../core/message.ts";
import { parentOf, requireLastSeq } from "../core/message-tree.ts";
import type { Session } from "../core/session.ts";
import { findResult, saveResultAtStart } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { SavedResult } from "./log/waiting-results.ts";
import { makeResult } from "./make-result.ts";
import type { InRoom } from "./passed-messages.ts";
import type { SessionLoader } from "./session-loader.ts";
import type { AcceptedPrompt, History, PromptResult, Question, RecordOptions } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import type { Prompt } from "./turns/plan-turn.ts";
import type { TurnQueue } from "./turns/turn-queue.ts";

/** What a prompt of a series has besides. */
interface SeriesOptions {
  attack?: Attack;
  /** Whether it follows a turn of the same series. */
  isNext?: boolean;
}

const attackOf = (series?: SeriesOptions) => (series?.attack ? { attack: series.attack } : {});

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
   * Accepts a question, once per idempotency key: a repeated call gets the same turn. In a chatbot session, a repeated
   * call runs a failed turn again, without appending the prompt again.
   *
   * @returns `session-not-active`, `session-full`, `turn-queue-full`, `session-moved-on`, or `idempotency-conflict` if the
   * key was used for another question; for a variant also `not-found`, `nothing-to-answer`, `nothing-to-edit` or
   * `human-handles`
   */
  async submit(
    question: Question,
    key: IdempotencyKey | null,
    series?: SeriesOptions,
  ): Promise<Outcome<AcceptedPrompt>> {
    await this.#loader.load();
    const { log } = this.#world;
    // No await from here on, so that the lookup, the turn and the saved result are one transaction.
    if (log.state?.removed !== false) return failed({ reason: "session-not-active" });
    const saved = findResult(log, key, inputOf(question));
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const earlier = saved && this.#earlierTurn(saved);
    if (earlier) return success(earlier);
    const active = this.#loader.active;
    if (!active.ok) return active;
    const unchanged = requireLastSeq(active.value, question.expectedSeq);
    if (!unchanged.ok) return unchanged;
    const prompt = this.#promptOf(active.value, question, saved && this.#promptSeq(saved));
    return prompt.ok ? this.#startTurn({ ...prompt.value, ...attackOf(series) }, question, key, series) : prompt;
  }

  /** Accepts a question and waits for the replies. Failed replies are in the log like any other. */
  async run(
    question: Question,
    history: History,
    key: IdempotencyKey | null,
    options: RecordOptions = {},
  ): Promise<Outcome<InRoom<PromptResult>>> {
    const accepted = await this.submit(question, key);
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

  /** @param seq the prompt of an earlier turn of the same question, if it has one in the log */
  #promptOf(session: Session, question: Question, seq: number | null): Outcome<Prompt> {
    const { expectedSeq } = question;
    const expected = expectedSeq === undefined ? {} : { expectedSeq };
    if ("content" in question && question.editedSeq === undefined)
      return success({ content: question.content, seq, ...expected });
    if (session.handler === "human") return failed({ reason: "human-handles" });
    const variant = "content" in question ? this.#editOf(question, seq) : this.#regenerationOf(question);
    return variant.ok ? success({ ...variant.value, isVariant: true, ...expected }) : variant;
  }

  #editOf({ content, editedSeq = 0 }: Extract<Question, { content: string }>, seq: number | null): Outcome<Prompt> {
    const edited = this.#world.log.message(editedSeq);
    if (!edited) return notFound("message", String(editedSeq));
    if (edited.role !== "user") return failed({ reason: "nothing-to-edit" });
    return success({ content, seq, ...(seq === null ? { parentSeq: parentOf(edited) } : {}) });
  }

  #regenerationOf({ regeneratedSeq, ...call }: Extract<Question, { regeneratedSeq: number }>): Outcome<Prompt> {
    const { log } = this.#world;
    const reply = log.message(regeneratedSeq);
    if (!reply) return notFound("message", String(regeneratedSeq));
    const prompt = this.#promptOfReply(reply);
    if (!prompt) return failed({ reason: "nothing-to-answer" });
    return success({ content: prompt.content, seq: prompt.seq, parentSeq: parentOf(reply), call });
  }

  /** The user message that a reply answers: in its turn, or in an earlier one. */
  #promptOfReply({ turnId, reply }: Message): Message | undefined {
    const { log } = this.#world;
    if (!reply || turnId === null) return undefined;
    if (reply.promptSeq !== undefined) return log.message(reply.promptSeq);
    return log.messagesOfTurn(turnId).find(({ role }) => role === "user");
  }

  #startTurn(
    prompt: Prompt,
    question: Question,
    key: IdempotencyKey | null,
    series?: SeriesOptions,
  ): Outcome<AcceptedPrompt> {
    const { log, clock, replication, keepAlive } = this.#world;
    const { seq } = prompt;
    const saveResult = (turnId: string) =>
      saveResultAtStart(log, key, inputOf(question), { seq, turn_id: turnId }, clock());
    const submitted = this.#turns.submit(prompt, saveResult, series?.isNext);
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

/** What a repeated call must have in common with the first one. */
const inputOf = ({ expectedSeq: _expectedSeq, ...question }: Question): object => question;

/** Whether a turn failed, by its last message. Without a reply it did not: it was left to a person. */
const hasFailed = ({ kind }: Session, { reply }: Message): boolean => kind === "chatbot" && reply?.status === "error";
