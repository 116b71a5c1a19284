/**
 * Makes the request of a call without a session from what the caller sent: its messages behind the chatbot's system
 * prompt, as far as they fit into its context, and its params over those of the chatbot and the endpoint. Effects: queries
 * to D1.
 */
import type { Context } from "hono";
import type { Caller } from "../../core/caller.ts";
import { mergeParams } from "../../core/call-params.ts";
import type { Chatbot } from "../../core/chatbot.ts";
import type { ContextSettings } from "../../core/context.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { invalid } from "../../core/failure.ts";
import { overriddenPins } from "../../core/param-names.ts";
import type { ModelMessage, ReplyRequest } from "../../core/reply.ts";
import type { ConversationQuestion } from "../../live/session-client.ts";
import { findParamProblem, PROVIDERS } from "../../providers/registry.ts";
import { ContextFitter } from "../../turn/fit-context.ts";
import type { ChosenHistory } from "../../turn/fit-context.ts";
import { buildRequest } from "../../turn/prepare-turn.ts";
import type { AppEnv } from "../http/context.ts";
import { paramProblems } from "../http/fields.ts";
import type { HttpProblem } from "../http/problem.ts";
import { unsupported } from "./errors.ts";
import { findModel } from "./models.ts";
import type { NamedModel } from "./models.ts";

/** Fields that clients of OpenAI's API send without asking the model for anything. */
const ACCOUNT_FIELDS: ReadonlySet<string> = new Set(["user", "metadata"]);

/** Why a client's instructions are refused. */
export const CLIENT_INSTRUCTS = "a token of role client gives the model no instructions";

/** What a caller asks of a model. */
export interface ModelCall {
  /** Its name. */
  model: string;
  messages: ModelMessage[];
  /** The fields of the body that have no meaning for Parley. */
  params: Record<string, unknown>;
  /** The field of the body that has the messages. */
  field: string;
  /** The param with the longest reply in tokens, if it is one for which each provider has its own name. */
  maxTokensField?: string;
}

/** Reads what the caller asks of a model. @returns why it cannot be asked */
export async function readModelRequest(
  c: Context<AppEnv>,
  { model: modelId, messages, params, field, maxTokensField }: ModelCall,
): Promise<ReplyRequest | HttpProblem> {
  const { caller } = c.var;
  const problem = checkMessages(messages, field, caller);
  if (problem) return problem;
  const read = readParams(params, caller);
  if ("reason" in read) return read;
  const model = await findModel(c, modelId);
  if ("reason" in model) return model;
  const { chatbot, endpoint } = model;
  if (!endpoint) return ENDPOINT_MISSING;
  const checked = endpointParams(chatbot, endpoint, read.params, maxTokensField);
  return "reason" in checked ? checked : modelRequest(model, endpoint, messages, checked.params);
}

/** The params of a call under the names of its provider. @returns the problem of those that the endpoint does not take */
export function endpointParams(
  chatbot: Chatbot | null,
  endpoint: Endpoint,
  given: Record<string, unknown>,
  maxTokensField = "",
): { params: Record<string, unknown> } | HttpProblem {
  const { [maxTokensField]: maxTokens, ...others } = given;
  const limit = maxTokens === undefined ? {} : { [maxTokensParam(chatbot, endpoint)]: maxTokens };
  const params = { ...others, ...limit };
  const [pinned] = overriddenPins(params, endpoint.pinned ?? []);
  if (pinned !== undefined) return invalid([pinned], "is pinned by the endpoint").failure;
  const problem = findParamProblem(endpoint.connectorType, JSON.stringify(params));
  return problem ? invalid([problem.name], problem.message).failure : { params };
}

const ENDPOINT_MISSING = {
  reason: "reply-failed",
  code: "endpoint_missing",
  message: "The endpoint of this chatbot no longer exists.",
  retryAfterSeconds: null,
} as const;

const MAX_TOKENS_PARAMS = ["max_completion_tokens", "max_tokens", "maxOutputTokens"];

/** The name that the chatbot or the endpoint has already. Otherwise OpenAI's newer models refuse what most servers know. */
function maxTokensParam(chatbot: Chatbot | null, { connectorType, uri, params }: Endpoint): string {
  const own = JSON.parse(mergeParams(params, chatbot?.params ?? null, [])) as object;
  const known = MAX_TOKENS_PARAMS.find((name) => name in own);
  if (known !== undefined) return known;
  if (connectorType === "google-gemini-connector") return "maxOutputTokens";
  const isOpenai = connectorType === "azure-openai-connector" || (connectorType === "openai-connector" && uri === "");
  return isOpenai ? "max_completion_tokens" : "max_tokens";
}

/**
 * The params of a call for its provider. `null` counts as absent, as in OpenAI's API.
 *
 * @param others the fields of the body that have no meaning for Parley
 * @returns the problem of params that the caller may not set, or whose values Parley cannot use
 */
export function readParams(
  others: Record<string, unknown>,
  caller: Caller,
): { params: Record<string, unknown> } | HttpProblem {
  const params = Object.fromEntries(Object.entries(others).filter(([, value]) => value != null));
  if (caller.role !== "client") {
    const [problem] = paramProblems(params);
    return problem ? invalid([problem.param], problem.message).failure : { params };
  }
  const name = Object.keys(params).find((param) => !ACCOUNT_FIELDS.has(param));
  return name === undefined
    ? { params: {} }
    : unsupported("unsupported_parameter", [name], "a token of role client cannot set it: the chatbot has its own");
}

/** @returns the problem of messages that the caller may not send, or that say nothing */
export function checkMessages(messages: readonly ModelMessage[], field: string, caller: Caller): HttpProblem | null {
  const instruction = caller.role === "client" ? messages.findIndex(({ role }) => role === "system") : -1;
  if (instruction !== -1) return unsupported("unsupported_content", [field, instruction, "role"], CLIENT_INSTRUCTS);
  return messages.some(({ content }) => content.trim() !== "")
    ? null
    : unsupported("unsupported_content", [field], "must have a text");
}

/**
 * Looks whether a chatbot can answer the prompt of a new session, which has no history yet. A session finds it out too, but it
 * is made by then.
 *
 * @returns `context-too-small`
 */
export function checkContext(
  model: NamedModel,
  { messages, instructions = "", params = "{}" }: ConversationQuestion,
): HttpProblem | null {
  if (!model.endpoint || !model.chatbot?.context) return null;
  const prompt = messages.filter(({ role }) => role === "user").slice(-1);
  const system = instructions === "" ? [] : [{ role: "system" as const, content: instructions }];
  const request = modelRequest(model, model.endpoint, [...system, ...prompt], JSON.parse(params) as object);
  return "reason" in request ? request : null;
}

/** Builds a request with a conversation behind the instructions. */
type BuildRequest = (conversation: ModelMessage[], isComplete: boolean) => ReplyRequest;

/** The chatbot's system prompt stands behind the caller's own, and before the conversation. @returns `context-too-small` */
function modelRequest(
  { chatbot }: NamedModel,
  endpoint: Endpoint,
  messages: ModelMessage[],
  params: object,
): ReplyRequest | HttpProblem {
  const { alternateRoles } = PROVIDERS[endpoint.connectorType];
  const target = { endpoint, previousCalls: 0, alternateRoles };
  const settings = {
    overrides: mergeParams(chatbot?.params ?? "{}", JSON.stringify(params), []),
    withReceipt: false,
  };
  const firstIndex = messages.findIndex(({ role }) => role !== "system");
  const start = firstIndex === -1 ? messages.length : firstIndex;
  const persona = chatbot?.systemPrompt ?? null;
  const instructions = messages.slice(0, start);
  if (persona !== null) instructions.push({ role: "system", content: persona });
  const build: BuildRequest = (conversation, isComplete) =>
    buildRequest(target, { messages: [...instructions, ...conversation], isComplete }, settings);
  const conversation = messages.slice(start);
  return chatbot?.context ? requestWithin(chatbot.context, conversation, build) : build(conversation, true);
}

/**
 * The request with the newest messages that fit. Nothing is kept of a call, so nothing is known of how its provider counts, and
 * no summary is made.
 *
 * @returns `context-too-small` if the instructions and the messages from the user's last one on are too long
 */
function requestWithin(
  context: ContextSettings,
  conversation: ModelMessage[],
  build: BuildRequest,
): ReplyRequest | HttpProblem {
  const promptIndex = Math.max(
    0,
    conversation.findLastIndex(({ role }) => role === "user"),
  );
  const newestFirst = conversation
    .slice(0, promptIndex)
    .map((message, index) => ({ ...message, seq: index + 1 }))
    .toReversed();
  const buildWith = ({ messages, isComplete }: ChosenHistory) =>
    build(
      [...messages.map(({ role, content }) => ({ role, content })), ...conversation.slice(promptIndex)],
      isComplete,
    );
  const fitter = new ContextFitter({
    settings: context,
    facts: {},
    maxMessages: Infinity,
    past: { count: newestFirst.length, newestFirst: () => newestFirst },
    build: buildWith,
  });
  return fitter.isTooSmall ? { reason: "context-too-small" } : buildWith(fitter.fit(null).history);
}
