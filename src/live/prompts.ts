/**
 * Prompts to a session: each starts a turn, once per idempotency key. So do the questions that make a variant: an earlier
 * prompt that is asked again, or changed. Which prompt a question means is in `prompt-of-question.ts`, the commands of the
 * room for everything else are in `session-room.ts`, and the order of turns is in `turns/`.
 *
 * Effects: those of the turns, by the injected world.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import type { Attack, Message } from "../core/message.ts";
import { requireLastSeq } from "../core/message-tree.ts";
import { hideTurn } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import { findResult, saveResult, saveResultAtStart } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import type { SavedResult } from "./log/waiting-results.ts";
import { turnNamed } from "./client-messages.ts";
import { makeResult } from "./make-result.ts";
import type { InRoom } from "./passed-messages.ts";
import { expectedSeqOf, promptOf } from "./prompt-of-question.ts";
import type { SessionLoader } from "./session-loader.ts";
import type {
  AcceptedPrompt,
  ConversationQuestion,
  History,
  PromptResult,
  Question,
  RecordOptions,
  TurnSnapshot,
} from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import type { Prompt } from "./turns/prompt.ts";
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
  /** The turns that wait or run, by the conversations that they answer. */
  readonly #conversations = new Map<string, string>();

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
    return this.submitNow(question, key, series);
  }

  /** As {@link submit}, for a loaded session. Has no await, so that the lookup, the turn and the saved result are one transaction. */
  submitNow(question: Question, key: IdempotencyKey | null, series?: SeriesOptions): Outcome<AcceptedPrompt> {
    const { log } = this.#world;
    if (log.state?.removed !== false) return failed({ reason: "session-not-active" });
    const saved = this.#findSaved(question, key);
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const earlier = saved ? this.#earlierTurn(saved, question) : this.#joinOpenTurn(question, key);
    if (earlier) return success(earlier);
    const active = this.#loader.active;
    if (!active.ok) return active;
    const repeat = { seq: saved && this.#promptSeq(saved), hasKey: key !== null };
    const unchanged = requireLastSeq(active.value, expectedSeqOf(question, repeat));
    if (!unchanged.ok) return unchanged;
    const prompt = promptOf(log, active.value, question, repeat);
    return prompt.ok ? this.#startTurn({ ...prompt.value, ...attackOf(series) }, question, key, series) : prompt;
  }

  #findSaved(question: Question, key: IdempotencyKey | null): SavedResult | "conflict" | null {
    const found = findResult(this.#world.log, key, inputOf(question));
    return found === "conflict" && isEdit(question) ? null : found;
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

  /** A turn, also one that waits. `null` if the object is empty. */
  turn(turnId: string): Outcome<TurnSnapshot | null> {
    const { log } = this.#world;
    if (!log.state) return success(null);
    if (log.state.removed) return notFound("session");
    const open = this.#turns.find(turnId);
    const snapshot = { session: log.state.session, messages: log.messagesOfTurn(turnId), isOpen: open !== null };
    const requestFields = open?.prompt.requestFields;
    return success(requestFields === undefined ? snapshot : { ...snapshot, requestFields });
  }

  /** Stops a turn that waits or runs, and waits for its end. @returns whether there was one */
  async stop(turnId: string): Promise<Outcome<boolean>> {
    return success(await this.#turns.stopTurn(turnId));
  }

  /** Has a turn no longer be found by its id. Its messages stay, and it goes on if it runs. */
  async hide(turnId: string): Promise<Outcome<null>> {
    const { clock, replication } = this.#world;
    const hidden = await this.#loader.change((session) => hideTurn(session, turnId, clock()));
    if (!hidden.ok) return hidden;
    await replication.waitIfQuick();
    return success(null);
  }

  /** The turn of the same question that waits or runs: a client whose connection broke sends it again. */
  #joinOpenTurn(question: Question, key: IdempotencyKey | null): AcceptedPrompt | null {
    const turnId = this.#turnOf(question, key);
    const submitted = turnId === null ? null : this.#turns.find(turnId);
    return submitted && this.#join({ turnId: submitted.turnId, submitted, replayed: true }, null, question, key);
  }

  #turnOf(question: Question, key: IdempotencyKey | null): string | null {
    if ("messages" in question) return this.#conversations.get(conversationOf(question, key) ?? "") ?? null;
    if (!("about" in question) || question.about !== "reply" || question.message === null) return null;
    return turnNamed(this.#world.log, question.message);
  }

  /** The turn that answers this prompt already. */
  #runningTurnOf({ seq }: Prompt, question: Question): AcceptedPrompt | null {
    const turn = this.#world.log.state?.turn ?? null;
    if (turn === null || seq === null || !isJoined(question)) return null;
    const { turnId, promptSeq = this.#world.log.messagesOfTurn(turnId).find(({ role }) => role === "user")?.seq } =
      turn;
    const submitted = promptSeq === seq ? this.#turns.find(turnId) : null;
    return submitted && { turnId, submitted, replayed: true };
  }

  /** A conversation that joins a turn gets its answer under its own key too. @param seq its prompt, if that is in the log */
  #join(turn: AcceptedPrompt, seq: number | null, question: Question, key: IdempotencyKey | null): AcceptedPrompt {
    const { log, clock } = this.#world;
    const hasStarted = log.state?.turn?.turnId === turn.turnId;
    const save = hasStarted ? saveResult : saveResultAtStart;
    if ("messages" in question) save(log, key, inputOf(question), { seq, turn_id: turn.turnId }, clock());
    return turn;
  }

  #startTurn(
    prompt: Prompt,
    question: Question,
    key: IdempotencyKey | null,
    series?: SeriesOptions,
  ): Outcome<AcceptedPrompt> {
    const { log, clock, replication, keepAlive } = this.#world;
    const running = this.#runningTurnOf(prompt, question);
    const { seq } = prompt;
    if (running) return success(this.#join(running, seq, question, key));
    const onAccepted = (turnId: string) =>
      saveResultAtStart(log, keyOf(question, prompt) ?? key, inputOf(question), { seq, turn_id: turnId }, clock());
    const submitted = this.#turns.submit(prompt, onAccepted, series?.isNext);
    if (!submitted.ok) return submitted;
    const { turnId, finished } = submitted.value;
    const conversation = "messages" in question ? conversationOf(question, key) : null;
    if (conversation !== null) this.#keepOpen(conversation, turnId, finished);
    // The turn continues even if the caller disconnects.
    keepAlive(finished.finally(() => replication.start()));
    return success({ turnId, submitted: submitted.value, replayed: false });
  }

  #keepOpen(conversation: string, turnId: string, finished: Promise<unknown>): void {
    this.#conversations.set(conversation, turnId);
    const remove = () => this.#conversations.delete(conversation);
    finished.then(remove, remove);
  }

  /** The turn that a key started. `null` if the question is to be asked again. */
  #earlierTurn(saved: SavedResult, question: Question): AcceptedPrompt | null {
    const { log } = this.#world;
    const earlier = this.#turnOfKey(saved);
    const isLeft = earlier?.submitted === null && this.messagesOf(earlier).at(-1)?.role === "user";
    // The caller got an error, which no key keeps: the chatbot answers again.
    const isRefusal = isLeft && "messages" in question && log.loadedState.session.handler !== "human";
    return isRefusal ? null : earlier;
  }

  /** `null` if it failed or was lost before it started. */
  #turnOfKey({ turn_id: turnId, seq }: SavedResult): AcceptedPrompt | null {
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

/** Names what is asked, so that a repeated call finds its turn. `null` if only its key says what a repeat is. */
const conversationOf = (
  { from, chatbotId, endpointId, messages }: ConversationQuestion,
  key: IdempotencyKey | null,
): string | null => (from === "start" || key === null ? JSON.stringify([from, chatbotId, endpointId, messages]) : null);

/** Whether a client means the reply that runs already, of whatever call. */
const isJoined = (question: Question): boolean => "messages" in question || "about" in question;

/** A message of the client is found by its name, however it was sent. */
const keyOf = (question: Question, { seq }: Prompt): IdempotencyKey | null =>
  "about" in question && seq === null ? (question.message?.name ?? null) : null;

/** The newest text of a message counts. */
const isEdit = (question: Question): boolean => "about" in question && question.about === "edit";

/** What a repeated call must have in common with the first one. */
const inputOf = ({ expectedSeq: _expectedSeq, ...question }: Question): object => question;

/** Whether a turn failed, by its last message. Without a reply it did not: it was left to a person. */
const hasFailed = ({ kind }: Session, { reply }: Message): boolean => kind === "chatbot" && reply?.status === "error";
