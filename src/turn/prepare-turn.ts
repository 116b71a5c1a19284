import { readCallParams } from "../core/call-params.ts";
import type { Chatbot, ContextStrategy, Endpoint } from "../core/endpoint.ts";
import type { Failure } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import type { ModelMessage, ReplyRequest } from "../core/reply.ts";
import type { Chat } from "../core/session.ts";
import { MAX_PREPARED_PROMPT } from "./templates/bounded-interpreter.ts";
import { applyStrategy } from "./context-strategies.ts";
import type { ChatTask } from "./fan-out.ts";
import { modelMessages } from "./model-messages.ts";
import { renderTemplate } from "./templates/render-template.ts";

/** An endpoint that is to be asked, with what its row does not say. */
export interface TaskTarget {
  endpoint: Endpoint;
  /** Calls that the chat made to it before. */
  priorCalls: number;
  /** Whether its connector wants user and assistant to alternate, unless its params say otherwise. */
  alternateRoles: boolean;
}

/** What a chat's model is shown, before it is brought into the form that its provider takes. */
interface Conversation {
  messages: ModelMessage[];
  /** Whether it is shown from its first message on. */
  isWhole: boolean;
}

/**
 * The chat of a chatbot session: its persona, then the recent conversation, the new message last.
 *
 * @param target `null` where the endpoint is gone
 */
export function chatbotTask(
  chatId: string,
  chatbot: Chatbot,
  target: TaskTarget | null,
  { messages: recent, isWhole }: Conversation,
): ChatTask {
  const persona: ModelMessage[] = chatbot.systemPrompt ? [{ role: "system", content: chatbot.systemPrompt }] : [];
  const conversation = { messages: [...persona, ...recent], isWhole };
  const call = target
    ? { request: requestTo(target, conversation, { own: chatbot.params, receipted: false }) }
    : missing(chatbot.endpointId);
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

/** What is in force when a prompt is put to a comparison session. */
export interface Preparation {
  strategy: ContextStrategy | null;
  /** `template: null`: a template of that name was set, and is gone. */
  template: { name: string; template: string | null } | null;
}

/** One chat of a comparison session. */
export function comparisonTask(
  { chatId, endpointId }: Chat,
  target: TaskTarget | null,
  prompt: string,
  replies: Message[],
  { strategy, template }: Preparation,
): ChatTask {
  const { text, history } = applyStrategy(strategy, prompt, replies);
  const inForce = {
    promptTemplate: template?.name ?? null,
    contextStrategy: strategy,
    prices: target?.endpoint.prices ?? null,
  };
  const rendered = render(template, text);
  if ("error" in rendered) return { chatId, endpointId, preparedPrompt: "", ...inForce, call: rendered };
  const preparedPrompt = rendered.text;
  const messages: ModelMessage[] = [...history, { role: "user", content: preparedPrompt }];
  const call = target
    ? { request: requestTo(target, { messages, isWhole: true }, { own: null, receipted: true }) }
    : missing(endpointId ?? "");
  return { chatId, endpointId, preparedPrompt, ...inForce, call };
}

function render(template: Preparation["template"], text: string) {
  if (template === null) return text.length <= MAX_PREPARED_PROMPT ? { text } : TOO_LONG;
  if (template.template === null) return templateFailed(`The prompt template "${template.name}" no longer exists.`);
  const rendered = renderTemplate(template.template, text);
  return rendered.ok
    ? { text: rendered.value }
    : templateFailed(`The prompt template "${template.name}" failed: ${faultOf(rendered.failure)}`);
}

/** What `add_previous_prompt` adds has been added to before, so that prompts about double from turn to turn. */
const TOO_LONG = {
  error: {
    code: "refused_by_guard" as const,
    message: `The prompt with what the context strategy adds is over ${MAX_PREPARED_PROMPT} characters.`,
  },
};

const faultOf = (failure: Failure): string =>
  "faults" in failure ? (failure.faults[0]?.message ?? "") : failure.reason;

const templateFailed = (message: string) => ({ error: { code: "template_failed" as const, message } });

const missing = (endpointId: string) => ({
  error: { code: "endpoint_missing" as const, message: `The endpoint "${endpointId}" no longer exists.` },
});

/** @param own the chatbot's params, laid over the endpoint's */
function requestTo(
  { endpoint, priorCalls, alternateRoles }: TaskTarget,
  { messages, isWhole }: Conversation,
  { own, receipted }: { own: string | null; receipted: boolean },
): ReplyRequest {
  const { id: endpointId, connectorType, uri, token, model, maxCallsPerSecond, maxConcurrency, updatedAt } = endpoint;
  const params =
    own === null ? endpoint.params : JSON.stringify({ ...JSON.parse(endpoint.params), ...JSON.parse(own) });
  const { frame, alternateRoles: wanted } = readCallParams(params);
  return {
    endpointId,
    callLimits: { maxCallsPerSecond, maxConcurrency, since: updatedAt },
    connectorType,
    uri,
    token,
    model,
    params,
    messages: modelMessages(messages, { alternateRoles: wanted ?? alternateRoles, isWhole, frame }),
    priorCalls,
    receipted,
  };
}
