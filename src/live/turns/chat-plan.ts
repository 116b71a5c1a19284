/**
 * Plans a turn of a chatbot session: which part of the conversation its call sends, and what has to be summarised before.
 * The rules for that are in `turn/`. Effects: reads the log.
 */
import type { Chatbot } from "../../core/chatbot.ts";
import type { ContextSettings } from "../../core/context.ts";
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
import type { Log } from "../log/log.ts";
import type { MadeSummary } from "./make-summary.ts";

/** What a turn of a chatbot session does. */
export interface ChatPlan {
  /** The call, without what is to be summarised. */
  task: ChatTask;
  /** What is to be summarised first; `null` for nothing. */
  summary: { task: SummaryTask; taskWith: (record: MadeSummary) => ChatTask } | null;
}

/** A prompt, and where it is in the log, or what it follows there. */
interface ChatPrompt {
  content: string;
  seq: number | null;
  parentSeq?: number;
}

/** A prompt, and the conversation before it. */
interface ChatInput {
  content: string;
  past: PastMessages;
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
  const past = log.conversation.upTo(prompt.seq === null ? prompt.parentSeq : log.places.parentOf(prompt.seq));
  const input = { content: prompt.content, past };
  const target = targetOf(endpoint);
  const planner = new ChatPlanner(session.id, chatbot, target, input);
  // A chatbot that earlier code has read has no context.
  if (!target || !chatbot.context) return success({ task: planner.taskOfNewest(), summary: null });
  return planner.planWithin(chatbot.context, { log, summariser: targetOf(summaryEndpoint ?? null) });
}

class ChatPlanner {
  readonly #chatId: string;
  readonly #chatbot: Chatbot;
  readonly #target: TaskTarget | null;
  readonly #input: ChatInput;

  constructor(chatId: string, chatbot: Chatbot, target: TaskTarget | null, input: ChatInput) {
    this.#chatId = chatId;
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
    const { past } = this.#input;
    const facts = log.contextFacts;
    const previousSeq = facts.summarySeq ?? null;
    const build = (history: ChosenHistory) => this.#requestWith(history);
    const fitter = new ContextFitter({ settings, facts, maxMessages: this.#maxMessages, past, build });
    if (fitter.isTooSmall) return failed({ reason: "context-too-small" });
    const isSummarised = settings.keep === "summary" && this.#maxMessages > 0;
    const previous = isSummarised ? lastSummary(log, past) : null;
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
    return chatbotRequest(this.#chatbot, this.#target as TaskTarget, this.#input.content, history);
  }

  #taskFor({ history, sent }: FittedHistory): ChatTask {
    return { ...this.#taskWith(history), context: sent };
  }

  #taskWith(history: ChosenHistory): ChatTask {
    const request = this.#target && this.#requestWith(history);
    const prices = this.#target?.endpoint.prices ?? null;
    return chatbotTask(this.#chatId, this.#chatbot, this.#input.content, { request, prices });
  }
}

/** The newest summary that is of this conversation; `null` for none. */
function lastSummary(log: Log, past: PastMessages): Summary | null {
  for (let seq = log.contextFacts.summarySeq ?? null; seq !== null;) {
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
