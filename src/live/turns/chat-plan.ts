/**
 * Plans what a chatbot does in a turn, in its own session or in a comparison: which part of the conversation its call sends,
 * and what has to be summarised before. The rules for that are in `turn/`. Effects: reads the log.
 */
import type { Chatbot } from "../../core/chatbot.ts";
import type { ContextFacts, ContextSettings } from "../../core/context.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Outcome } from "../../core/failure.ts";
import { failed, notFound, success } from "../../core/failure.ts";
import type { Session } from "../../core/session.ts";
import type { ChatContext } from "../../store/turn-context.ts";
import type { ChatTask } from "../../turn/fan-out.ts";
import { ContextFitter, charactersOf } from "../../turn/fit-context.ts";
import type { ChosenHistory, FittedHistory, PastMessage, Summary } from "../../turn/fit-context.ts";
import { chatbotRequest, chatbotTask, endpointMissing, instructedRequest } from "../../turn/prepare-turn.ts";
import type { TaskTarget } from "../../turn/prepare-turn.ts";
import { MAX_SUMMARISED_CHARACTERS, Transcript, instructionFor } from "../../turn/summary.ts";
import type { SummaryTask } from "../../turn/summary.ts";
import type { PastMessages } from "../log/conversation.ts";
import { placeOfAnswer } from "../log/answered-prompts.ts";
import type { Log } from "../log/log.ts";
import type { MadeSummary } from "./make-summary.ts";
import type { Prompt } from "./prompt.ts";

/** What a chatbot does in a turn. */
export interface ChatPlan {
  /** The call, without what is to be summarised. */
  task: ChatTask;
  /** What is to be summarised first; `null` for nothing. */
  summary: PlannedSummary | null;
}

export interface PlannedSummary {
  task: SummaryTask;
  taskWith: (record: MadeSummary) => ChatTask;
}

/** What a turn does. */
export interface TurnPlan {
  /** In the order of the chats. */
  tasks: ChatTask[];
  /** What chatbots have to summarise first, by their chats. */
  summaries: Map<string, PlannedSummary>;
}

/** A prompt, and where it is in the log, or what it follows there. */
type ChatPrompt = Pick<Prompt, "content" | "seq" | "parentSeq" | "preceding">;

/** A prompt of a chat, and what the chat has so far. */
export interface ChatInput {
  chatId: string;
  content: string;
  past: PastMessages;
  facts: ContextFacts;
  /** Whether its record keeps what was sent, as those of comparisons do. */
  withReceipt: boolean;
}

/** Makes the target of an endpoint. */
type TargetOf = (endpoint: Endpoint | null) => TaskTarget | null;

/** @returns `not-found` if the chatbot or the client no longer exists, `context-too-small` */
export function planChat(
  log: Log,
  session: Session,
  prompt: ChatPrompt,
  { chatbot, endpoint, client, summaryEndpoint }: ChatContext,
  targetOf: TargetOf,
): Outcome<ChatPlan> {
  if (chatbot?.deletedAt !== null) return notFound("chatbot", session.chatbotId);
  if (session.clientId !== null && client?.deletedAt !== null) return notFound("client", session.clientId);
  const past = pastOf(log, prompt);
  const facts = log.contextFacts;
  const input = { chatId: session.id, content: prompt.content, past, facts, withReceipt: false };
  return planCall(log, chatbot, input, {
    target: targetOf(endpoint),
    summariser: () => targetOf(summaryEndpoint ?? null),
  });
}

/** The messages before a prompt. One without an answer that is asked again behind others stands behind them, and no longer in its place. */
function pastOf(log: Log, { seq, parentSeq, preceding = [] }: ChatPrompt): PastMessages {
  const { conversation, places } = log;
  if (seq === null) return conversation.followedBy(conversation.upTo(parentSeq), preceding);
  const place = parentSeq ?? placeOfAnswer(log, seq) ?? undefined;
  if ((place ?? places.leaf) === seq) return conversation.upTo(places.parentOf(seq));
  return conversation.withoutFailed({ seq, turnId: log.message(seq)?.turnId ?? null }, place);
}

/** What a chatbot calls. */
interface ChatTargets {
  target: TaskTarget | null;
  /** The endpoint that its `context` names. */
  summariser: () => TaskTarget | null;
}

/** Plans the call of a chatbot. @returns `context-too-small` */
export function planCall(
  log: Log,
  chatbot: Chatbot,
  input: ChatInput,
  { target, summariser }: ChatTargets,
): Outcome<ChatPlan> {
  const planner = new ChatPlanner(chatbot, target, input);
  // A chatbot that earlier code has read has no context.
  if (!target || !chatbot.context) return success({ task: planner.taskOfNewest(), summary: null });
  return planner.planWithin(chatbot.context, { log, summariser: summariser() });
}

class ChatPlanner {
  readonly #chatbot: Chatbot;
  readonly #target: TaskTarget | null;
  readonly #input: ChatInput;

  constructor(chatbot: Chatbot, target: TaskTarget | null, input: ChatInput) {
    this.#chatbot = chatbot;
    this.#target = target;
    this.#input = input;
  }

  get #maxMessages(): number {
    return this.#chatbot.historyLimit - 1;
  }

  /** The task of a chatbot without `context`. */
  taskOfNewest(): ChatTask {
    const { past } = this.#input;
    const messages = newest(past.newestFirst(), this.#maxMessages).toReversed();
    return this.#taskWith({ summary: null, messages, isComplete: messages.length === past.count });
  }

  /** The plan within the chatbot's `context`. @param summariser the endpoint that it names for summaries */
  planWithin(
    settings: ContextSettings,
    { log, summariser }: { log: Log; summariser: TaskTarget | null },
  ): Outcome<ChatPlan> {
    const { past, facts } = this.#input;
    const previousSeq = facts.summarySeq ?? null;
    const build = (history: ChosenHistory) => this.#requestWith(history);
    const fitter = new ContextFitter({ settings, facts, maxMessages: this.#maxMessages, past, build });
    if (fitter.isTooSmall) return failed({ reason: "context-too-small" });
    const isSummarised = settings.keep === "summary" && this.#maxMessages > 0;
    const previous = isSummarised ? lastSummary(log, this.#input) : null;
    const fitted = fitter.fit(previous);
    const task = this.#taskFor(fitted);
    if (!isSummarised || fitted.isWhole) return success({ task, summary: null });
    const { summaryEndpointId } = settings;
    const summary =
      summaryEndpointId === undefined
        ? summaryTask(this.#chatbot.endpointId, previous, { fitter, summariser: this.#target })
        : summaryTask(summaryEndpointId, previous, { fitter, summariser });
    const taskWith = (record: MadeSummary) => {
      const refitted = record.text === "" ? fitted : fitter.fit(record);
      return this.#taskFor({ ...refitted, sent: { ...refitted.sent, summary: { ...record, previousSeq } } });
    };
    return success({ task, summary: { task: summary, taskWith } });
  }

  #requestWith(history: ChosenHistory) {
    const { content: prompt, withReceipt } = this.#input;
    return chatbotRequest(this.#chatbot, this.#target as TaskTarget, { prompt, withReceipt }, history);
  }

  #taskFor({ history, sent }: FittedHistory): ChatTask {
    return { ...this.#taskWith(history), context: sent };
  }

  #taskWith(history: ChosenHistory): ChatTask {
    const request = this.#target && this.#requestWith(history);
    const prices = this.#target?.endpoint.prices ?? null;
    const { chatId, content } = this.#input;
    return chatbotTask(chatId, this.#chatbot, content, { request, prices });
  }
}

/** The newest summary that is of this conversation; `null` for none. */
function lastSummary(log: Log, { past, facts }: ChatInput): Summary | null {
  for (let seq = facts.summarySeq ?? null; seq !== null;) {
    const summary = log.conversation.summaryOf(seq);
    if (summary && past.has(summary.upTo)) return summary;
    seq = summary?.previousSeq ?? null;
  }
  return null;
}

/** What is to be summarised of the messages after the last summary. */
function summaryTask(
  endpointId: string,
  previous: Summary | null,
  { fitter, summariser }: { fitter: ContextFitter; summariser: TaskTarget | null },
): SummaryTask {
  const maxSummary = fitter.maxSummaryCharacters;
  const instruction = instructionFor(maxSummary);
  const requestFor = (text: string) =>
    summariser ? instructedRequest(summariser, instruction, text) : endpointMissing(endpointId);
  const empty = requestFor("");
  const after = previous?.upTo ?? 0;
  return {
    endpointId,
    prices: summariser?.endpoint.prices ?? null,
    previous,
    messages: new Transcript(fitter.toSummarise(after, MAX_SUMMARISED_CHARACTERS), after),
    maxText: fitter.maxCharacters - ("error" in empty ? 0 : charactersOf(empty)),
    maxSummary,
    requestFor,
  };
}

function newest(messages: Iterable<PastMessage>, count: number): PastMessage[] {
  const taken: PastMessage[] = [];
  if (count === 0) return taken;
  for (const message of messages) if (taken.push(message) === count) break;
  return taken;
}
