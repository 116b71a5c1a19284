/**
 * Plans a turn of a comparison session: what each chat sends. An endpoint gets the prompt as strategy and template make it,
 * a chatbot as its own session would send it. Effects: reads the log.
 */
import type { Chatbot } from "../../core/chatbot.ts";
import { chatbotIdOf } from "../../core/chatbot.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Failure } from "../../core/failure.ts";
import type { ReplyError } from "../../core/message.ts";
import { asContextStrategy } from "../../core/prompt-template.ts";
import { askedChats } from "../../core/session.ts";
import type { Chat, Session } from "../../core/session.ts";
import type { ComparisonContext } from "../../store/turn-context.ts";
import type { ChatTask } from "../../turn/fan-out.ts";
import { comparisonTask, promptRenderer } from "../../turn/prepare-turn.ts";
import type { PromptPreparation } from "../../turn/prepare-turn.ts";
import type { PastMessages } from "../log/conversation.ts";
import type { Log } from "../log/log.ts";
import { planCall } from "./chat-plan.ts";
import type { ChatPlan, TurnPlan } from "./chat-plan.ts";
import { settingsOfTurn } from "./prompt.ts";
import type { Prompt } from "./prompt.ts";
import { targetOf } from "./task-target.ts";

export function planComparison(log: Log, session: Session, prompt: Prompt, context: ComparisonContext): TurnPlan {
  const pinnedSeq = session.bridge?.mode === "pinned" ? prompt.recorded?.prompt.seq : undefined;
  const pinned = pinnedSeq === undefined ? null : log.chats.recorded.before(pinnedSeq);
  const planner = new ComparisonPlanner(log, prompt, context, {
    preparation: preparationOf(pinned ? { ...session, ...NO_PREPARATION } : session, prompt, context),
    pinned,
  });
  const pending = prompt.resumed ? log.pendingChats() : null;
  const chats = askedChats(session).filter(({ chatId }) => pending?.includes(chatId) !== false);
  const plans = chats.map((chat) => ({ chat, ...planner.planOf(chat) }));
  return {
    tasks: plans.map(({ task }) => task),
    summaries: new Map(plans.flatMap(({ chat, summary }) => (summary ? [[chat.chatId, summary]] : []))),
  };
}

function preparationOf(session: Session, prompt: Prompt, { template }: ComparisonContext): PromptPreparation {
  const { promptTemplate, contextStrategy, ...settings } = settingsOfTurn(session, prompt);
  const current = template?.name === promptTemplate ? template.template : null;
  const renderPrompt = promptRenderer(
    promptTemplate === null ? null : { name: promptTemplate, template: current ?? null },
  );
  return { ...settings, strategy: asContextStrategy(contextStrategy), promptTemplate, renderPrompt };
}

/** The last message of a pinned conversation is sent as it was recorded, too. */
const NO_PREPARATION = { promptTemplate: null, contextStrategy: null };

class ComparisonPlanner {
  readonly #log: Log;
  readonly #prompt: Prompt;
  readonly #endpoints: Map<string, Endpoint>;
  readonly #chatbots: Map<string, Chatbot>;
  readonly #preparation: PromptPreparation;
  /** The recorded conversation before the prompt, if that is what every chat sends. */
  readonly #pinned: PastMessages | null;

  constructor(
    log: Log,
    prompt: Prompt,
    context: ComparisonContext,
    { preparation, pinned }: { preparation: PromptPreparation; pinned: PastMessages | null },
  ) {
    this.#log = log;
    this.#prompt = prompt;
    this.#endpoints = new Map(context.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    this.#chatbots = new Map((context.chatbots ?? []).map((chatbot) => [chatbot.id, chatbot]));
    this.#preparation = preparation;
    this.#pinned = pinned;
  }

  planOf(chat: Chat): ChatPlan {
    const chatbotId = chatbotIdOf(chat.endpointId);
    return chatbotId === null ? { task: this.#taskOf(chat), summary: null } : this.#planOfChatbot(chat, chatbotId);
  }

  #taskOf(chat: Chat): ChatTask {
    const { chats } = this.#log;
    const chatLog = {
      preparedPrompts: (newest: number) => chats.prepared(chat.chatId, newest),
      answeredPrompts: (newest: number | null) => chats.answered(chat.chatId, newest),
    };
    const target = this.#targetOf(chat, chat.endpointId);
    const pinned = this.#pinned && [...this.#pinned.newestFirst()].toReversed();
    const preparation = pinned ? { ...this.#preparation, pinned } : this.#preparation;
    return comparisonTask(chat, target, this.#prompt.content, chatLog, preparation);
  }

  #planOfChatbot(chat: Chat, chatbotId: string): ChatPlan {
    const chatbot = this.#chatbots.get(chatbotId);
    if (chatbot?.deletedAt !== null) return this.#failedPlan(chat, chatbotMissing(chatbotId));
    const { chats } = this.#log;
    const input = {
      chatId: chat.chatId,
      content: this.#prompt.content,
      past: this.#pinned ?? chats.conversation(chat.chatId, this.#lastSeq),
      facts: chatbot.context ? chats.contextFacts(chat.chatId) : {},
      withReceipt: true,
    };
    const planned = planCall(this.#log, chatbot, input, {
      target: this.#targetOf(chat, chatbot.endpointId),
      summariser: () => this.#targetOf(chat, chatbot.context?.summaryEndpointId ?? null),
    });
    return planned.ok ? this.#named(chat, planned.value) : this.#failedPlan(chat, refusal(planned.failure));
  }

  /** The last message before the prompt. */
  get #lastSeq(): number {
    const { resumed } = this.#prompt;
    return resumed ? resumed.promptSeq - 1 : this.#log.loadedState.session.lastSeq;
  }

  /** Its records have the chatbot as their endpoint. */
  #named({ endpointId }: Chat, { task, summary }: ChatPlan): ChatPlan {
    const { attack } = this.#prompt;
    const named = (unnamed: ChatTask): ChatTask => ({ ...unnamed, endpointId, ...(attack ? { attack } : {}) });
    return {
      task: named(task),
      summary: summary && { task: summary.task, taskWith: (record) => named(summary.taskWith(record)) },
    };
  }

  #failedPlan(chat: Chat, error: ReplyError): ChatPlan {
    const { content } = this.#prompt;
    const settings = { promptTemplate: null, contextStrategy: null, prices: null };
    const task = { chatId: chat.chatId, endpointId: null, preparedPrompt: content, ...settings, call: { error } };
    return this.#named(chat, { task, summary: null });
  }

  #targetOf({ chatId }: Chat, endpointId: string | null) {
    return targetOf(this.#log, chatId, this.#endpoints.get(endpointId ?? "") ?? null);
  }
}

const chatbotMissing = (id: string): ReplyError => ({
  code: "endpoint_missing",
  message: `The chatbot "${id}" no longer exists.`,
});

/** Why a chatbot cannot send the prompt: its `context` is too small. */
const refusal = ({ reason }: Failure): ReplyError => ({
  code: "refused_by_guard",
  message:
    reason === "context-too-small"
      ? "The message and the system prompt have more tokens than context.maxTokens of the chatbot."
      : reason,
});
