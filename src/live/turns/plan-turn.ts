/**
 * Plans a turn: what each chat of a session sends to its endpoint. The chat of a chatbot is in `chat-plan.ts`, and building
 * the messages in `turn/`. Effects: reads the log, and D1 for endpoints, chatbot and template.
 */
import { asContextStrategy } from "../../core/prompt-template.ts";
import { mergeParams } from "../../core/call-params.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Outcome } from "../../core/failure.ts";
import { notFound, success } from "../../core/failure.ts";
import type { Attack, Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import type { RunningTurn } from "../../core/turn.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import type { ChatContext, ComparisonContext, TurnContext } from "../../store/turn-context.ts";
import type { ChatTask } from "../../turn/fan-out.ts";
import { comparisonTask, promptRenderer } from "../../turn/prepare-turn.ts";
import type { TaskTarget } from "../../turn/prepare-turn.ts";
import type { Log } from "../log/log.ts";
import type { SessionWorld } from "../session-world.ts";
import { planChat } from "./chat-plan.ts";
import type { ChatPlan } from "./chat-plan.ts";
import { currentContext } from "./turn-context.ts";

/** A prompt for all chats of a session. */
export interface Prompt {
  content: string;
  /** Its `seq`, if it is in the log: to be answered again, or because its turn failed. `null` for a new prompt. */
  seq: number | null;
  /** What made it, if an attack module did: then neither strategy nor template is applied. */
  attack?: Attack;
  /** Whether the turn makes a variant: asks again, or changes an earlier prompt. */
  isVariant?: true;
  /** What the first message that the turn adds follows, if that is not the last message of the active path. */
  parentSeq?: number;
  /** Which endpoint replies, and with which params, if not the chatbot's own. */
  call?: { endpointId?: string; params?: string };
  /** The turn starts only if this is the last message of the log. */
  expectedSeq?: number;
}

/** What a turn does. */
export interface TurnPlan {
  tasks: ChatTask[];
  /** What is to be summarised first, in a chatbot session; `null` for nothing. */
  summary: ChatPlan["summary"];
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
 * @returns `not-found` if the chatbot or the client no longer exists, `context-too-small` if the prompt does not fit
 */
export async function planTurn(world: SessionWorld, session: Session, prompt: Prompt): Promise<Outcome<TurnPlan>> {
  const { log } = world;
  const context = await currentContext(world, session);
  if (context.of === "comparison")
    return success({ tasks: planComparison(log, session, prompt, context.comparison), summary: null });
  const chat = await withCall(world, context.chat, prompt);
  if (!chat.ok) return chat;
  const planned = planChat(log, session, prompt, chat.value, (endpoint) => targetOf(log, session.id, endpoint));
  return planned.ok ? success({ tasks: [planned.value.task], summary: planned.value.summary }) : planned;
}

/** The chatbot with the endpoint and the params of a call. Its own params are for its own endpoint. */
async function withCall(world: SessionWorld, context: ChatContext, { call }: Prompt): Promise<Outcome<ChatContext>> {
  const { chatbot } = context;
  if (!chatbot || !call) return success(context);
  const { endpointId = chatbot.endpointId, params = null } = call;
  if (endpointId === chatbot.endpointId)
    return success({ ...context, chatbot: { ...chatbot, params: mergeParams(chatbot.params ?? "{}", params, []) } });
  const endpoint = await world.records.findEndpoint(endpointId);
  return endpoint
    ? success({ ...context, endpoint, chatbot: { ...chatbot, endpointId, params } })
    : notFound("endpoint", endpointId);
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
      preparedPrompts: (newest: number) => log.chats.prepared(chat.chatId, newest),
      answeredPrompts: (newest: number | null) => log.chats.answered(chat.chatId, newest),
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
 * prepared prompt is `""` where the log does not have the prompt or the records.
 */
export function sentPrompts(log: Log, session: Session, turn: RunningTurn): SentPrompt[] {
  const { promptTemplate = session.promptTemplate, contextStrategy = session.contextStrategy } = turn;
  const { previousPrompts = session.previousPrompts, systemPrompt = session.systemPrompt, attack } = turn;
  const settings = { promptTemplate, contextStrategy, previousPrompts, systemPrompt };
  const content = promptOf(log, turn)?.content ?? null;
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

const promptOf = (log: Log, { turnId, promptSeq }: RunningTurn): Message | undefined =>
  promptSeq === undefined ? log.messagesOfTurn(turnId).find(({ role }) => role === "user") : log.message(promptSeq);

const chatbotEndpointOf = (context: TurnContext | null): string | null =>
  context?.of === "chat" ? (context.chat.chatbot?.endpointId ?? null) : null;

const targetOf = (log: Log, chatId: string, endpoint: Endpoint | null): TaskTarget | null =>
  endpoint && {
    endpoint,
    // Only the echo endpoint needs the count, and counting reads the chat's whole log.
    previousCalls: endpoint.connectorType === "echo-connector" ? log.chats.countCalls(chatId) : 0,
    alternateRoles: PROVIDERS[endpoint.connectorType].alternateRoles,
  };
