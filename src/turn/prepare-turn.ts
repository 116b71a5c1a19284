/**
 * Prepares a turn: builds the request for each chat from its endpoint, persona, conversation, strategy and template.
 * This folder has what one prompt does: preparation here, context strategies, model messages, templates, and the
 * fan-out that collects replies. Nothing here reads a database, a clock or the network. Pure.
 */
import { mergeParams, readCallParams } from "../core/call-params.ts";
import type { Chatbot } from "../core/chatbot.ts";
import type { ContextStrategy } from "../core/prompt-template.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Failure } from "../core/failure.ts";
import { MAX_PREPARED_PROMPT_CHARACTERS } from "../core/message.ts";
import type { Attack, ReplyError } from "../core/message.ts";
import type { ModelMessage, ReplyRequest } from "../core/reply.ts";
import type { Chat } from "../core/session.ts";
import { applyStrategy } from "./context-strategies.ts";
import type { ChatLog } from "./context-strategies.ts";
import type { ChatTask } from "./fan-out.ts";
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

/**
 * The task of a chatbot session: persona, recent conversation, and the new message last.
 *
 * @param target `null` if the endpoint was deleted
 */
export function chatbotTask(
  chatId: string,
  chatbot: Chatbot,
  target: TaskTarget | null,
  { messages: recent, isComplete }: Conversation,
): ChatTask {
  const persona: ModelMessage[] = chatbot.systemPrompt ? [{ role: "system", content: chatbot.systemPrompt }] : [];
  const conversation = { messages: [...persona, ...recent], isComplete };
  const call = target
    ? { request: buildRequest(target, conversation, { overrides: chatbot.params, withReceipt: false }) }
    : endpointMissing(chatbot.endpointId);
  const preparedPrompt = recent.at(-1)?.content ?? "";
  return {
    chatId,
    endpointId: chatbot.endpointId,
    preparedPrompt,
    promptTemplate: null,
    contextStrategy: null,
    prices: target?.endpoint.prices ?? null,
    call,
  };
}

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
  { strategy, previousPrompts = null, promptTemplate, renderPrompt, systemPrompt, attack }: PromptPreparation,
): ChatTask {
  const { text, history } = applyStrategy(strategy, prompt, log, previousPrompts);
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

const endpointMissing = (endpointId: string) => ({
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
