/**
 * Prepares a turn: builds the request for each chat from its endpoint, persona, conversation, strategy and template.
 * This folder has what one prompt does: preparation here, context strategies, model messages, templates, and the
 * fan-out that collects replies. Nothing here reads a database, a clock or the network. Pure.
 */
import { mergeParams, readCallParams } from "../core/call-params.ts";
import type { Chatbot } from "../core/chatbot.ts";
import type { ContextStrategy } from "../core/prompt-template.ts";
import type { Endpoint, Prices } from "../core/endpoint.ts";
import type { Failure } from "../core/failure.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../core/message.ts";
import type { Attack, ReplyError, SentContext } from "../core/message.ts";
import type { ModelMessage, ReplyRequest } from "../core/reply.ts";
import type { Chat } from "../core/session.ts";
import { applyStrategy } from "./context-strategies.ts";
import type { ChatLog } from "./context-strategies.ts";
import type { ChatTask } from "./fan-out.ts";
import type { ChosenHistory } from "./fit-context.ts";
import { modelMessages } from "./model-messages.ts";
import { renderTemplate } from "./templates/render-template.ts";

/** An endpoint to call, with facts that are not in its row. */
export interface TaskTarget {
  endpoint: Endpoint;
  /** Earlier calls of the chat to the endpoint. */
  previousCalls: number;
  /** Whether its connector requires user and assistant to alternate. The endpoint's params can override it. */
  alternateRoles: boolean;
}

/** A conversation before it is adapted to the provider's rules. */
interface Conversation {
  messages: ModelMessage[];
  /** Whether it starts with the session's first message. */
  isComplete: boolean;
}

/** The request of a chatbot: persona, summary, history, and the new message last. */
export function chatbotRequest(
  chatbot: Chatbot,
  target: TaskTarget,
  { prompt, withReceipt }: { prompt: string; withReceipt: boolean },
  { summary, messages: history, isComplete }: ChosenHistory,
): ReplyRequest {
  const messages = [
    ...systemMessages(chatbot.systemPrompt, summary),
    ...history.map(({ role, content }) => ({ role, content })),
    { role: "user" as const, content: prompt },
  ];
  return buildRequest(target, { messages, isComplete }, { overrides: chatbot.params, withReceipt });
}

const systemMessages = (...texts: (string | null)[]): ModelMessage[] =>
  texts.flatMap((content) => (content ? [{ role: "system" as const, content }] : []));

/**
 * The task of a chatbot, in a session of its own or in a comparison.
 *
 * @param request `null` if the endpoint was deleted
 * @param context what the request sends, for a chatbot with `context`
 */
export function chatbotTask(
  chatId: string,
  chatbot: Chatbot,
  prompt: string,
  { request, prices, context }: { request: ReplyRequest | null; prices: Prices | null; context?: SentContext },
): ChatTask {
  return {
    chatId,
    endpointId: chatbot.endpointId,
    preparedPrompt: prompt,
    promptTemplate: null,
    contextStrategy: null,
    prices,
    call: request ? { request } : endpointMissing(chatbot.endpointId),
    ...(context ? { context } : {}),
  };
}

/** A request with one instruction and one text, to an endpoint as it is: without the params of a chatbot. */
export const instructedRequest = (target: TaskTarget, instruction: string, text: string): ReplyRequest =>
  buildRequest(
    target,
    { messages: [...systemMessages(instruction), { role: "user", content: text }], isComplete: true },
    { overrides: null, withReceipt: false },
  );

/** The template of a comparison session. `template: null` stands for a deleted one. */
export type SessionTemplate = { name: string; template: string | null } | null;

/** Strategy, template and system prompt of a comparison session. */
export interface PromptPreparation {
  strategy: ContextStrategy | null;
  /** How many previous prompts the strategy adds, if the session says so. */
  previousPrompts?: number | null;
  systemPrompt?: string | null;
  /** What made the prompt, if an attack module did. */
  attack?: Attack | undefined;
  promptTemplate: string | null;
  /** The conversation before the prompt, if it is given: then no strategy adds anything. */
  pinned?: ModelMessage[];
  /** A {@link promptRenderer} of the template, for all chats of the turn. */
  renderPrompt: RenderPrompt;
}

/** Renders a prompt, or says why it cannot be sent. */
export type RenderPrompt = (text: string) => { text: string } | { error: ReplyError };

/** The task of one chat in a comparison session. */
export function comparisonTask(
  { chatId, endpointId }: Chat,
  target: TaskTarget | null,
  prompt: string,
  log: ChatLog,
  preparation: PromptPreparation,
): ChatTask {
  const { strategy, promptTemplate, renderPrompt, systemPrompt, attack } = preparation;
  const { text, history } = contextOf(prompt, log, preparation);
  const settings = {
    promptTemplate,
    contextStrategy: strategy,
    ...(systemPrompt ? { systemPrompt } : {}),
    ...(attack ? { attack } : {}),
    prices: target?.endpoint.prices ?? null,
  };
  const rendered = renderPrompt(text);
  if ("error" in rendered) return { chatId, endpointId, preparedPrompt: "", ...settings, call: rendered };
  const preparedPrompt = rendered.text;
  const instructions: ModelMessage[] = systemPrompt ? [{ role: "system", content: systemPrompt }] : [];
  const messages: ModelMessage[] = [...instructions, ...history, { role: "user", content: preparedPrompt }];
  const call = target
    ? { request: buildRequest(target, { messages, isComplete: true }, { overrides: null, withReceipt: true }) }
    : endpointMissing(endpointId ?? "");
  return { chatId, endpointId, preparedPrompt, ...settings, call };
}

const contextOf = (
  prompt: string,
  log: ChatLog,
  { strategy, previousPrompts = null, pinned }: PromptPreparation,
): ReturnType<typeof applyStrategy> =>
  pinned
    ? { text: prompt, history: pinned.map(({ role, content }) => ({ role, content })) }
    : applyStrategy(strategy, prompt, log, previousPrompts);

/**
 * Renders prompts with a template. A text is rendered only once: the chats of a turn have the same one, unless a strategy
 * adds something of the chat.
 */
export function promptRenderer(template: SessionTemplate, render = renderTemplate): RenderPrompt {
  const rendered = new Map<string, ReturnType<RenderPrompt>>();
  return (text) => {
    const result = rendered.get(text) ?? renderWith(template, text, render);
    rendered.set(text, result);
    return result;
  };
}

function renderWith(template: SessionTemplate, text: string, render: typeof renderTemplate): ReturnType<RenderPrompt> {
  if (template === null) return text.length <= MAX_PREPARED_PROMPT_CHARACTERS ? { text } : PROMPT_TOO_LONG;
  if (template.template === null) return templateFailure(`The prompt template "${template.name}" no longer exists.`);
  const rendered = render(template.template, text);
  return rendered.ok
    ? { text: rendered.value }
    : templateFailure(`The prompt template "${template.name}" failed: ${problemOf(rendered.failure)}`);
}

/** `add_previous_prompt` adds prompts that already contain earlier ones, so prompts about double with each turn. */
const PROMPT_TOO_LONG = {
  error: {
    code: "refused_by_guard" as const,
    message: `The prompt and the text added by the context strategy have more than ${MAX_PREPARED_PROMPT_CHARACTERS} characters.`,
  },
};

const problemOf = (failure: Failure): string =>
  "issues" in failure ? (failure.issues[0]?.message ?? "") : failure.reason;

const templateFailure = (message: string) => ({ error: { code: "template_failed" as const, message } });

/** The failure of a call to an endpoint that was deleted. */
export const endpointMissing = (endpointId: string) => ({
  error: { code: "endpoint_missing" as const, message: `The endpoint "${endpointId}" no longer exists.` },
});

/** @param overrides the chatbot's params, which override those of the endpoint that it has not pinned */
export function buildRequest(
  { endpoint, previousCalls, alternateRoles }: TaskTarget,
  { messages, isComplete }: Conversation,
  { overrides, withReceipt }: { overrides: string | null; withReceipt: boolean },
): ReplyRequest {
  const { id: endpointId, connectorType, uri, token, model, maxCallsPerSecond, maxConcurrency, updatedAt } = endpoint;
  const params = mergeParams(endpoint.params, overrides, endpoint.pinned ?? []);
  const { wrapper, alternateRoles: alternateRolesParam } = readCallParams(params);
  return {
    endpointId,
    callLimits: { maxCallsPerSecond, maxConcurrency, since: updatedAt },
    connectorType,
    uri,
    token,
    model,
    params,
    messages: modelMessages(messages, { alternateRoles: alternateRolesParam ?? alternateRoles, isComplete, wrapper }),
    previousCalls,
    withReceipt,
  };
}
