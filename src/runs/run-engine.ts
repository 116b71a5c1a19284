/**
 * Puts the items of a run to its endpoints: some conversations at once, each turn after the one before. It works in waves,
 * because an invocation may make a limited number of calls; the object's alarm starts the next one, also after a crash.
 *
 * A conversation is a session like any other, and its object asks the endpoints, within their limits. Each turn has an
 * idempotency key of its own, so that asking it again after a crash never makes a second one. Plain code with one injected
 * world. Effects: the run's storage, D1 and calls to sessions, by the injected world.
 */
import { rootCause } from "../core/failure.ts";
import type { Outcome } from "../core/failure.ts";
import { queueMsOf } from "../core/message.ts";
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import { shuffledNumbers } from "../core/shuffle.ts";
import type { EpochMs } from "../core/time.ts";
import { answersOf, failedAnswers } from "./run-answers.ts";
import type { NewAnswer, OpenConversation, RunStorage, StoredItem } from "./run-storage.ts";

/**
 * Calls to D1 and to other objects in a wave. Plans without a charge allow an invocation 1,000.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const CALLS_PER_WAVE = 900;

/** How long a wave begins turns, in milliseconds: an alarm may take 15 minutes, and a turn ten. */
const WAVE_MS = 240_000;

/** How many conversations a run begins with. The others come as long as their calls do not wait for limits. */
const FIRST_CONVERSATIONS = 8;

/** With a longer wait for an endpoint's own limits there are too many conversations, with a shorter one too few. */
const LONG_WAIT_MS = 20_000;
const SHORT_WAIT_MS = 10_000;

/** What a run needs from outside. */
export interface RunWorld {
  storage: RunStorage;
  clock: () => EpochMs;
  /** @returns whether the id was free, or is that of this session already */
  createSession: (session: Session, messages: Message[], runId: string) => Promise<boolean>;
  /** Puts a prompt to all chats of a session, once per key. @returns what the turn has added */
  ask: (sessionId: string, prompt: string, key: { caller: string; key: string }) => Promise<Outcome<Message[]>>;
  removeSession: (sessionId: string) => Promise<void>;
  /** Called when answers have come. */
  onProgress: () => void;
}

/** `over`: no conversation is left. `trouble`: something failed that will pass. */
export type WaveEnd = "over" | "more" | "trouble";

export class RunEngine {
  readonly #world: RunWorld;
  #order: Uint32Array | null = null;
  #calls = 0;
  #until = 0;
  #troubles = 0;
  #atOnce = FIRST_CONVERSATIONS;
  /** Conversations that an earlier wave has begun. */
  #begun: OpenConversation[] = [];

  constructor(world: RunWorld) {
    this.#world = world;
  }

  /** Runs until the wave has made its calls, or nothing is left, or the run stops. Ends when its last turn has ended. */
  async runWave(): Promise<WaveEnd> {
    const { storage, clock } = this.#world;
    this.#calls = 0;
    this.#until = clock() + WAVE_MS;
    this.#troubles = 0;
    this.#begun = storage.openConversations();
    const running = new Set<Promise<void>>();
    for (;;) {
      for (let next = this.#next(running.size); next !== null; next = this.#next(running.size)) {
        const work: Promise<void> = this.#converse(next).finally(() => running.delete(work));
        running.add(work);
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
    if (this.#troubles > 0) return "trouble";
    return this.#isOver ? "over" : "more";
  }

  get #isOver(): boolean {
    const { state, conversations } = this.#world.storage;
    return state !== null && state.begun === conversations && this.#world.storage.openConversations().length === 0;
  }

  get #mayAsk(): boolean {
    const { storage, clock } = this.#world;
    const isWithin = this.#calls < CALLS_PER_WAVE && clock() < this.#until;
    return isWithin && this.#troubles === 0 && storage.state?.status === "running";
  }

  #next(running: number): OpenConversation | null {
    const { storage } = this.#world;
    if (!this.#mayAsk || running >= Math.min(this.#atOnce, storage.plan.concurrency)) return null;
    const begun = this.#begun.shift();
    if (begun) return begun;
    const index = storage.loadedState.begun;
    return index < storage.conversations ? storage.beginConversation(this.#numberAt(index)) : null;
  }

  #numberAt(index: number): number {
    const { conversations, plan } = this.#world.storage;
    if (plan.orderSeed === null) return index;
    this.#order ??= shuffledNumbers(conversations, plan.orderSeed);
    return this.#order[index] ?? index;
  }

  /** Goes on with a conversation as far as the wave does. Never rejects. */
  async #converse(begun: OpenConversation): Promise<void> {
    try {
      const { storage } = this.#world;
      const item = storage.item(Math.floor(begun.number / storage.plan.repeat));
      for (let open: OpenConversation | null = begun; open !== null && this.#mayAsk;)
        open = open.sessionId === null ? await this.#openSession(open) : await this.#takeTurn(open, item);
    } catch (error) {
      this.#troubles += 1;
      const { runId } = this.#world.storage.state ?? {};
      console.error({ event: "run-conversation-failed", runId, error: rootCause(error) });
    }
  }

  /** Creates the session of a conversation, under an id that says which it is. */
  async #openSession(conversation: OpenConversation): Promise<OpenConversation> {
    const { storage, createSession, clock } = this.#world;
    const { plan, loadedState } = storage;
    const runId = loadedState.runId ?? "";
    this.#calls += 1;
    const at = clock();
    const id = sessionIdOf(runId, conversation);
    const asked = conversation.endpoints;
    const chats = plan.session.chats.filter((_, index) => asked === null || asked.includes(index));
    const greetings = plan.messages.filter(({ chatId }) => chats.some((chat) => chat.chatId === chatId));
    const messages = greetings.map((message, index) => ({ ...message, seq: index + 1, createdAt: at }));
    const counts = { lastSeq: messages.length, messageCount: messages.length };
    const session = { ...plan.session, ...counts, chats, id, startTime: at, createdAt: at, updatedAt: at };
    const isOwn = await createSession(session, messages, runId);
    const { attempt } = conversation;
    const opened = isOwn ? { ...conversation, sessionId: id } : { ...conversation, attempt: attempt + 1 };
    if (this.#isKept) storage.keepOpen(opened);
    return opened;
  }

  /** Whether the run is still there: it may have been deleted while a call was made. */
  get #isKept(): boolean {
    const status = this.#world.storage.state?.status ?? "removed";
    return status !== "removed";
  }

  /** @returns the conversation after the turn; `null` if it was the last one */
  async #takeTurn(conversation: OpenConversation, item: StoredItem): Promise<OpenConversation | null> {
    const { storage, ask } = this.#world;
    const { number, nextTurn: turn, sessionId } = conversation;
    this.#calls += 1;
    const key = { caller: `run:${storage.loadedState.runId}`, key: `${number} ${turn}` };
    const outcome = await ask(sessionId ?? "", storage.prompt(item.firstTurn + turn), key);
    if (!this.#isKept) return null;
    if (outcome.ok)
      return outcome.value.some(isInterrupted)
        ? this.#startAgain(conversation)
        : this.#addAnswers(conversation, item, answersOf(storage.plan, item, turn, outcome.value), outcome.value);
    const { reason } = outcome.failure;
    if (reason === "not-found" || reason === "session-not-active") return this.#startAgain(conversation);
    if (reason === "turn-queue-full") throw new Error("Others use the session");
    const { endpoints: asked } = conversation;
    const answers = failedAnswers(storage.plan, item, turn, outcome.failure);
    const ofAsked = answers.filter(({ endpoint }) => asked === null || asked.includes(endpoint));
    return this.#addAnswers(conversation, item, ofAsked, []);
  }

  #addAnswers(
    conversation: OpenConversation,
    item: StoredItem,
    answers: NewAnswer[],
    replies: Message[],
  ): OpenConversation | null {
    const { nextTurn: turn } = conversation;
    this.#adapt(replies);
    this.#world.storage.addAnswers(conversation, item, turn, answers);
    this.#world.onProgress();
    return turn + 1 === item.turns ? null : { ...conversation, nextTurn: turn + 1 };
  }

  /** Begins a conversation again, in another session: its session was deleted, or a reply broke off. */
  async #startAgain(conversation: OpenConversation): Promise<OpenConversation> {
    const { storage, removeSession } = this.#world;
    this.#calls += 1;
    await removeSession(conversation.sessionId ?? "");
    const again = { ...conversation, sessionId: null, attempt: conversation.attempt + 1, nextTurn: 0 };
    if (this.#isKept) storage.keepOpen(again);
    return again;
  }

  /** Many conversations at once would wait for an endpoint's limits until their time is over. */
  #adapt(replies: Message[]): void {
    const waitedMs = Math.max(0, ...replies.map(({ reply }) => (reply ? (queueMsOf(reply) ?? 0) : 0)));
    if (waitedMs > LONG_WAIT_MS) this.#atOnce = Math.max(1, this.#atOnce - 1);
    else if (waitedMs < SHORT_WAIT_MS) this.#atOnce = Math.min(this.#world.storage.plan.concurrency, this.#atOnce + 1);
  }
}

const isInterrupted = ({ reply }: Message): boolean => reply?.finishReason === "interrupted";

/** `name_20260301-093000` becomes `name-17_20260301-093000`, and `name-17-b2_…` for a second session. */
function sessionIdOf(runId: string, { number, attempt }: OpenConversation): string {
  const end = runId.lastIndexOf("_");
  const again = attempt === 1 ? "" : `-b${attempt}`;
  return `${runId.slice(0, end)}-${number + 1}${again}${runId.slice(end)}`;
}
