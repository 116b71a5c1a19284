/**
 * Plans a turn: what each chat of a session sends to its endpoint. Building the messages does not belong here: that is
 * in `turn/`. Effects: reads the log, and D1 for endpoints, chatbot and template.
 */
import { asContextStrategy } from "../../core/prompt-template.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Outcome } from "../../core/failure.ts";
import { notFound, success } from "../../core/failure.ts";
import type { Attack } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import type { RunningTurn } from "../../core/turn.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import type { ChatContext, ComparisonContext, TurnContext } from "../../store/turn-context.ts";
import type { ChatTask } from "../../turn/fan-out.ts";
import { chatbotTask, comparisonTask, promptRenderer } from "../../turn/prepare-turn.ts";
import type { TaskTarget } from "../../turn/prepare-turn.ts";
import type { Log } from "../log/log.ts";
import type { SessionWorld } from "../session-world.ts";
import { currentContext } from "./turn-context.ts";

/** A prompt for all chats of a session. */
export interface Prompt {
  content: string;
  /** Its `seq`, if a turn that failed has appended it; `null` for a new prompt. */
  seq: number | null;
  /** What made it, if an attack module did: then neither strategy nor template is applied. */
  attack?: Attack;
}

/** What a turn has from its session. Moonshot's attack modules send what they made as it is. */
export const settingsOfTurn = (session: Session, { attack }: Prompt) => ({
  promptTemplate: attack ? null : session.promptTemplate,
  contextStrategy: attack ? null : session.contextStrategy,
  previousPrompts: session.previousPrompts,
  systemPrompt: session.systemPrompt,
  ...(attack ? { attack } : {}),
});

/**
 * Plans with the current endpoints, chatbot and template. No round trip to D1 if the isolate has read them within two
 * seconds, otherwise one.
 *
 * @returns `not-found` if the chatbot or the client no longer exists
 */
export async function planTurn(world: SessionWorld, session: Session, prompt: Prompt): Promise<Outcome<ChatTask[]>> {
  const { log } = world;
  const context = await currentContext(world, session);
  return context.of === "chat"
    ? planChat(log, session, prompt, context.chat)
    : success(planComparison(log, session, prompt, context.comparison));
}

function planChat(log: Log, session: Session, prompt: Prompt, context: ChatContext): Outcome<ChatTask[]> {
  const { chatbot, endpoint, client } = context;
  if (chatbot?.deletedAt !== null) return notFound("chatbot", session.chatbotId);
  if (client?.deletedAt !== null) return notFound("client", session.clientId);
  const upTo = prompt.seq === null ? undefined : prompt.seq - 1;
  const recent = chatbot.historyLimit > 1 ? log.conversation(chatbot.historyLimit - 1, upTo) : [];
  const messages = [...recent.map(({ role, content }) => ({ role, content })), userMessage(prompt)];
  const isComplete = recent[0]?.seq === 1;
  return success([chatbotTask(session.id, chatbot, targetOf(log, session.id, endpoint), { messages, isComplete })]);
}

function planComparison(log: Log, session: Session, prompt: Prompt, context: ComparisonContext): ChatTask[] {
  const endpoints = new Map(context.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  const { template } = context;
  const { promptTemplate, contextStrategy, ...settings } = settingsOfTurn(session, prompt);
  const strategy = asContextStrategy(contextStrategy);
  const renderPrompt = promptRenderer(
    promptTemplate === null
      ? null
      : { name: promptTemplate, template: template?.name === promptTemplate ? template.template : null },
  );
  const preparation = { ...settings, strategy, promptTemplate, renderPrompt };
  return session.chats.map((chat) => {
    const endpoint = endpoints.get(chat.endpointId ?? "") ?? null;
    const chatLog = {
      preparedPrompts: (newest: number) => log.preparedPrompts(chat.chatId, newest),
      answeredPrompts: (newest: number | null) => log.answeredPrompts(chat.chatId, newest),
    };
    return comparisonTask(chat, targetOf(log, chat.chatId, endpoint), prompt.content, chatLog, preparation);
  });
}

/** What a chat sends in a turn, without the request. */
export type SentPrompt = Pick<
  ChatTask,
  "chatId" | "endpointId" | "preparedPrompt" | "promptTemplate" | "contextStrategy" | "systemPrompt" | "attack"
>;

/**
 * What the chats of a turn that has started had sent, planned again from the log and the records that it used. The
 * prepared prompt is `""` where the log does not have the prompt or the records: a turn that is repeated has its prompt
 * in an earlier one.
 */
export function sentPrompts(log: Log, session: Session, turn: RunningTurn): SentPrompt[] {
  const { promptTemplate = session.promptTemplate, contextStrategy = session.contextStrategy } = turn;
  const { previousPrompts = session.previousPrompts, systemPrompt = session.systemPrompt, attack } = turn;
  const settings = { promptTemplate, contextStrategy, previousPrompts, systemPrompt };
  const content = log.messagesOfTurn(turn.turnId).find(({ role }) => role === "user")?.content ?? null;
  const context = log.cachedContext;
  const planned =
    context?.of === "comparison" && content !== null
      ? planComparison(log, { ...session, ...settings }, { content, seq: null }, context.comparison)
      : session.chats.map(({ chatId, endpointId }) => ({
          chatId,
          endpointId: endpointId ?? chatbotEndpointOf(context),
          preparedPrompt: session.kind === "chatbot" && content !== null ? content : "",
        }));
  return planned.map(({ chatId, endpointId, preparedPrompt }) => ({
    chatId,
    endpointId,
    preparedPrompt,
    promptTemplate,
    contextStrategy,
    ...(systemPrompt === null ? {} : { systemPrompt }),
    ...(attack ? { attack } : {}),
  }));
}

const chatbotEndpointOf = (context: TurnContext | null): string | null =>
  context?.of === "chat" ? (context.chat.chatbot?.endpointId ?? null) : null;

const userMessage = ({ content }: Prompt) => ({ role: "user" as const, content });

const targetOf = (log: Log, chatId: string, endpoint: Endpoint | null): TaskTarget | null =>
  endpoint && {
    endpoint,
    // Only the echo endpoint needs the count, and counting reads the chat's whole log.
    previousCalls: endpoint.connectorType === "echo-connector" ? log.countCalls(chatId) : 0,
    alternateRoles: PROVIDERS[endpoint.connectorType].alternateRoles,
  };
