/**
 * Plans a turn: what each chat of a session sends to its endpoint. The chat of a chatbot is in `chat-plan.ts`, the chats of a
 * comparison are in `comparison-plan.ts`, and building the messages in `turn/`. Effects: reads the log, and D1 for endpoints, chatbot and template.
 */
import { mergeParams } from "../../core/call-params.ts";
import type { Outcome } from "../../core/failure.ts";
import { notFound, success } from "../../core/failure.ts";
import type { Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import type { RunningTurn } from "../../core/turn.ts";
import type { ChatContext, TurnContext } from "../../store/turn-context.ts";
import type { ChatTask } from "../../turn/fan-out.ts";
import type { Log } from "../log/log.ts";
import type { SessionWorld } from "../session-world.ts";
import { planChat } from "./chat-plan.ts";
import type { TurnPlan } from "./chat-plan.ts";
import { planComparison } from "./comparison-plan.ts";
import type { Prompt } from "./prompt.ts";
import { targetOf } from "./task-target.ts";
import { currentContext } from "./turn-context.ts";

/**
 * Plans with the current endpoints, chatbot and template. No round trip to D1 if the isolate has read them within two
 * seconds, otherwise one.
 *
 * @returns `not-found` if the chatbot or the client no longer exists, `context-too-small` if the prompt does not fit
 */
export async function planTurn(world: SessionWorld, session: Session, prompt: Prompt): Promise<Outcome<TurnPlan>> {
  const { log } = world;
  const context = await currentContext(world, session);
  if (context.of === "comparison") return success(planComparison(log, session, prompt, context.comparison));
  const chat = await withCall(world, context.chat, prompt);
  if (!chat.ok) return chat;
  const planned = planChat(log, session, prompt, chat.value, (endpoint) => targetOf(log, session.id, endpoint));
  if (!planned.ok) return planned;
  const { task, summary } = planned.value;
  return success({ tasks: [task], summaries: new Map(summary ? [[session.id, summary]] : []) });
}

/** The chatbot with the endpoint and the params of a call. Its own params are for its own endpoint. */
async function withCall(world: SessionWorld, context: ChatContext, { call }: Prompt): Promise<Outcome<ChatContext>> {
  if (!context.chatbot || !call) return success(context);
  const { endpointId = context.chatbot.endpointId, params = null, instructions = "" } = call;
  const systemPrompt = [instructions, context.chatbot.systemPrompt ?? ""].filter((text) => text !== "").join("\n\n");
  const chatbot = { ...context.chatbot, systemPrompt };
  if (endpointId === chatbot.endpointId)
    return success({ ...context, chatbot: { ...chatbot, params: mergeParams(chatbot.params ?? "{}", params, []) } });
  const endpoint = await world.records.findEndpoint(endpointId);
  return endpoint
    ? success({ ...context, endpoint, chatbot: { ...chatbot, endpointId, params } })
    : notFound("endpoint", endpointId);
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
  const { attack } = turn;
  const settings = settingsOf(session, turn);
  const content = promptOf(log, turn)?.content ?? null;
  const context = log.cachedContext;
  if (context?.of === "comparison" && content !== null) {
    const prompt = { content, seq: null, ...(attack ? { attack } : {}) };
    return planComparison(log, { ...session, ...settings }, prompt, context.comparison).tasks.map(sentPromptOf);
  }
  return session.chats.map(({ chatId, endpointId }) => ({
    chatId,
    endpointId: endpointId ?? chatbotEndpointOf(context),
    preparedPrompt: session.kind === "chatbot" && content !== null ? content : "",
    promptTemplate: settings.promptTemplate,
    contextStrategy: settings.contextStrategy,
    ...(settings.systemPrompt === null ? {} : { systemPrompt: settings.systemPrompt }),
    ...(attack ? { attack } : {}),
  }));
}

/** What the turn started with. Earlier code did not keep it. */
const settingsOf = (
  session: Session,
  {
    promptTemplate = session.promptTemplate,
    contextStrategy = session.contextStrategy,
    previousPrompts = session.previousPrompts,
    systemPrompt = session.systemPrompt,
  }: RunningTurn,
) => ({ promptTemplate, contextStrategy, previousPrompts, systemPrompt });

/** Without what the call needs besides: a reply that broke off has nothing of it. */
const sentPromptOf = ({ call: _call, prices: _prices, context: _context, ...sent }: ChatTask): SentPrompt => sent;

const promptOf = (log: Log, { turnId, promptSeq }: RunningTurn): Message | undefined =>
  promptSeq === undefined ? log.messagesOfTurn(turnId).find(({ role }) => role === "user") : log.message(promptSeq);

const chatbotEndpointOf = (context: TurnContext | null): string | null =>
  context?.of === "chat" ? (context.chat.chatbot?.endpointId ?? null) : null;
