/**
 * Runs one turn: appends the prompt, calls the endpoints, emits events, saves drafts, and appends each reply when it
 * ends.
 *
 * The order of turns does not belong here: that is `turn-queue.ts`. Effects: the log, events and calls to endpoints,
 * all by the injected world; a timer.
 */
import type { Message, NewMessage, SentContext } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { turnStatus } from "../../core/turn.ts";
import type { ReplyPlace, StartedTurn, Turn, TurnStatus } from "../../core/turn.ts";
import { fanOut } from "../../turn/fan-out.ts";
import type { ChatTask, Reply } from "../../turn/fan-out.ts";
import { placeOfAnswer } from "../log/answered-prompts.ts";
import type { SessionWorld } from "../session-world.ts";
import { contextTrimmed } from "../streaming/events.ts";
import type { SessionEvent } from "../streaming/events.ts";
import { appendMessages } from "./append-messages.ts";
import { Drafts } from "./drafts.ts";
import { makeSummary } from "./make-summary.ts";
import type { PlannedSummary, TurnPlan } from "./chat-plan.ts";
import { settingsOfTurn } from "./prompt.ts";
import type { Prompt } from "./prompt.ts";
import { precedingMessages, promptMessage, recordedMessages, replyMessage } from "./turn-messages.ts";

/** How long a finished reply waits for others, in milliseconds, to be written with them. Each commit has a cost. */
const REPLY_BATCH_MS = 10;

/** What a turn has added to the log. */
export interface TurnResult {
  added: Message[];
  /** The longest time for which a provider asks callers to wait. */
  retryAfterSeconds: number | null;
  /** Whether somebody stopped it. */
  stopped?: true;
  /** Whether it was a repeated prompt, and was left to a person. Then no event has its message. */
  leftAgain?: true;
}

/** Stops a turn that waits or runs, or one of its chats. */
export class TurnSignals {
  readonly turnId: string;
  /** How the turn ends if it was stopped; `null` if it was not. */
  stoppedAs: "cancelled" | "human" | null = null;
  readonly #chats = new Map<string, AbortController>();

  constructor(turnId: string) {
    this.turnId = turnId;
  }

  /** @param chatId the chat to stop, or `null` for all chats */
  stop(chatId: string | null, as: "cancelled" | "human" = "cancelled"): void {
    if (chatId !== null) return this.#controllerOf(chatId).abort();
    // A person who has taken over stays the reason.
    if (this.stoppedAs !== "human") this.stoppedAs = as;
    for (const controller of this.#chats.values()) controller.abort();
  }

  signalOf(chatId: string): AbortSignal {
    const controller = this.#controllerOf(chatId);
    if (this.stoppedAs) controller.abort();
    return controller.signal;
  }

  #controllerOf(chatId: string): AbortController {
    const controller = this.#chats.get(chatId) ?? new AbortController();
    this.#chats.set(chatId, controller);
    return controller;
  }
}

export class TurnRunner {
  readonly #world: SessionWorld;
  readonly #signals: TurnSignals;
  readonly #session: Session;
  readonly #drafts: Drafts;
  readonly #added: Message[] = [];
  /** What the calls send for chatbots with `context`, by their chats. */
  #sent: [chatId: string, context: SentContext][] = [];
  /** Finished replies that are not appended yet. */
  #unwrittenReplies: Reply[] = [];

  constructor(world: SessionWorld, signals: TurnSignals, session: Session) {
    this.#world = world;
    this.#signals = signals;
    this.#session = session;
    this.#drafts = new Drafts((texts) => world.log.saveDrafts(texts));
  }

  /** The events so far of the replies that run, for a new subscriber. */
  runningReplyEvents(): SessionEvent[] {
    const { turnId } = this.#signals;
    const replies = [...this.#drafts.texts].flatMap(([chatId, text]): SessionEvent[] => [
      { type: "reply-start", turnId, chatId },
      ...(text === "" ? [] : [{ type: "reply-delta" as const, turnId, chatId, offset: 0, text }]),
    ]);
    return replies.length > 0 ? [...this.#trimmedEvents(), ...replies] : [];
  }

  /** Only appends the prompt: a person answers. A repeated prompt is in the log, so nothing happens that followers had to know. */
  leaveToHuman(prompt: Prompt): TurnResult {
    const { log, emit, clock } = this.#world;
    const { turnId } = this.#signals;
    const { seq } = prompt;
    const turn = log.startTurn(turnId, { chatIds: [] }, clock());
    if (seq === null) this.#appendPrompt(turn, prompt);
    log.endTurn();
    if (seq !== null) return { added: log.messages(seq - 1, 1).items, retryAfterSeconds: null, leftAgain: true };
    emit({ type: "turn-ended", turnId, status: "human" });
    return { added: this.#added, retryAfterSeconds: null };
  }

  async run(plan: TurnPlan, prompt: Prompt): Promise<TurnResult> {
    try {
      return await this.#run(plan, prompt);
    } finally {
      this.#drafts.close();
    }
  }

  async #run(plan: TurnPlan, prompt: Prompt): Promise<TurnResult> {
    const { log, emit, clock, callEndpoints } = this.#world;
    const { turnId } = this.#signals;
    const chatIds = plan.tasks.map(({ chatId }) => chatId);
    const turn = this.#start(chatIds, prompt);
    const tasks = await this.#summarised(plan);
    // A turn that was stopped while it made a summary sends nothing.
    this.#sent = this.#signals.stoppedAs
      ? []
      : tasks.flatMap(({ chatId, context }) => (context ? [[chatId, context] as const] : []));
    for (const event of this.#trimmedEvents()) emit(event);
    for (const chatId of chatIds) {
      this.#drafts.start(chatId);
      emit({ type: "reply-start", turnId, chatId });
    }
    const replies = await fanOut(tasks, {
      callEndpoints,
      clock,
      signalOf: (chatId) => this.#signals.signalOf(chatId),
      onText: (chatId, text) => this.#addText(chatId, text),
      onReply: (reply) => this.#addReply(turn, reply),
    });
    this.#writeReplies(turn);
    log.endTurn();
    const retryAfterSeconds = maxRetryAfter(replies);
    const wait = retryAfterSeconds === null ? {} : { retryAfterSeconds };
    emit({ type: "turn-ended", turnId, status: this.#statusOf(replies), ...wait });
    const stopped = this.#signals.stoppedAs ? ({ stopped: true } as const) : {};
    return { added: this.#added, retryAfterSeconds, ...stopped };
  }

  /** Starts the turn and appends its prompt, in one transaction. A turn that goes on has both. */
  #start(chatIds: string[], prompt: Prompt): StartedTurn {
    const { log, emit, clock } = this.#world;
    const { turnId } = this.#signals;
    const { recorded, resumed, requestFields } = prompt;
    const ofReplies = {
      ...this.#placeOfReply(prompt),
      ...(requestFields === undefined ? {} : { requestFields }),
    };
    const settings = {
      chatIds,
      ...settingsOfTurn(this.#session, prompt),
      ...ofReplies,
      ...(recorded ? { recordedTurn: recorded.number } : {}),
    };
    const started = resumed?.turn ?? log.startTurn(turnId, settings, clock());
    const turn = { turnId, number: started.number, startedAt: started.startedAt, ...ofReplies };
    emit({ type: "turn-started", turnId, chatIds });
    if (recorded && !resumed) this.#append(recordedMessages(this.#session, turn, recorded, clock()));
    else if (prompt.seq === null && !resumed) this.#appendPrompt(turn, prompt);
    return turn;
  }

  #appendPrompt(turn: Turn, prompt: Prompt): void {
    const at = this.#world.clock();
    const preceding = precedingMessages(this.#session, prompt, at);
    if (preceding.length > 0) appendMessages(this.#world, preceding);
    const place = preceding.length > 0 ? { content: prompt.content } : prompt;
    this.#append([promptMessage(this.#session, turn, place, at)]);
  }

  /** Summarises what calls do not send as it is. A turn that is stopped meanwhile makes no further call. */
  async #summarised({ tasks, summaries }: TurnPlan): Promise<ChatTask[]> {
    if (summaries.size === 0) return tasks;
    const summarise = async (task: ChatTask) => {
      const planned = summaries.get(task.chatId);
      return planned ? this.#summarise(task.chatId, planned) : task;
    };
    return Promise.all(tasks.map(summarise));
  }

  async #summarise(chatId: string, { task, taskWith }: PlannedSummary): Promise<ChatTask> {
    const { callEndpoints, id } = this.#world;
    const signal = this.#signals.signalOf(chatId);
    const record = await makeSummary(task, { callEndpoints, signal });
    // The message of the error can have words of the conversation.
    if (record.error && !signal.aborted)
      console.error({ event: "summary-failed", sessionId: id, code: record.error.code });
    return taskWith(record);
  }

  #trimmedEvents(): SessionEvent[] {
    const { turnId } = this.#signals;
    const { kind } = this.#session;
    return this.#sent.flatMap(([chatId, context]) => contextTrimmed({ turnId, chatId, kind }, context) ?? []);
  }

  #placeOfReply({ seq, parentSeq }: Prompt): ReplyPlace {
    if (seq === null || this.#session.kind === "comparison") return {};
    const replyParentSeq = parentSeq ?? placeOfAnswer(this.#world.log, seq);
    return { promptSeq: seq, ...(replyParentSeq === null ? {} : { replyParentSeq }) };
  }

  #addText(chatId: string, text: string): void {
    const offset = this.#drafts.add(chatId, text);
    if (offset === null) return;
    this.#world.emit({ type: "reply-delta", turnId: this.#signals.turnId, chatId, offset, text });
  }

  #addReply(turn: StartedTurn, reply: Reply): void {
    const isFirst = this.#unwrittenReplies.push(reply) === 1;
    if (isFirst && this.#drafts.texts.size > 1) setTimeout(() => this.#writeReplies(turn), REPLY_BATCH_MS);
  }

  #writeReplies(turn: StartedTurn): void {
    const replies = this.#unwrittenReplies;
    this.#unwrittenReplies = [];
    if (replies.length === 0) return;
    for (const { chatId } of replies) this.#drafts.end(chatId);
    this.#append(replies.map((reply) => replyMessage(turn, reply, this.#world.clock())));
  }

  #append(messages: NewMessage[]): void {
    this.#added.push(...appendMessages(this.#world, messages));
  }

  #statusOf(replies: Reply[]): TurnStatus {
    return this.#signals.stoppedAs ?? turnStatus(replies.map(({ detail }) => detail.status));
  }
}

function maxRetryAfter(replies: Reply[]): number | null {
  const delays = replies.flatMap(({ retryAfterSeconds }) => (retryAfterSeconds === null ? [] : [retryAfterSeconds]));
  return delays.length > 0 ? Math.max(...delays) : null;
}
