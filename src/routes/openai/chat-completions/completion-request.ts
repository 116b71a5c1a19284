/**
 * Makes the request of a completion without a session from what the caller sent: its messages behind the chatbot's system
 * prompt, and its params over those of the chatbot and the endpoint. No effects.
 */
import type { Caller } from "../../../core/caller.ts";
import { mergeParams } from "../../../core/call-params.ts";
import type { Endpoint } from "../../../core/endpoint.ts";
import { invalid } from "../../../core/failure.ts";
import { overriddenPins } from "../../../core/param-names.ts";
import type { ModelMessage, ReplyRequest } from "../../../core/reply.ts";
import { findParamProblem, PROVIDERS } from "../../../providers/registry.ts";
import { buildRequest } from "../../../turn/prepare-turn.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { unsupported } from "../errors.ts";
import type { NamedModel } from "../models.ts";

/** Fields that clients of OpenAI's API send without asking the model for anything. */
const ACCOUNT_FIELDS: ReadonlySet<string> = new Set(["user", "metadata"]);

/**
 * The params of a call for its provider. `null` counts as absent, as in OpenAI's API.
 *
 * @param others the fields of the body that have no meaning for Parley
 * @returns the problem of params that the caller may not set
 */
export function readParams(
  others: Record<string, unknown>,
  caller: Caller,
): { params: Record<string, unknown> } | HttpProblem {
  const params = Object.fromEntries(Object.entries(others).filter(([, value]) => value != null));
  if (caller.role !== "client") return { params };
  const name = Object.keys(params).find((param) => !ACCOUNT_FIELDS.has(param));
  return name === undefined
    ? { params: {} }
    : unsupported("unsupported_parameter", [name], "a token of role client cannot set it: the chatbot has its own");
}

/** @returns the problem of messages that the caller may not send */
export function checkMessages(messages: readonly ModelMessage[], caller: Caller): HttpProblem | null {
  const index = caller.role === "client" ? messages.findIndex(({ role }) => role === "system") : -1;
  return index === -1
    ? null
    : unsupported(
        "unsupported_content",
        ["messages", index, "role"],
        "a token of role client sends no system messages",
      );
}

/** @returns the problem of params that the endpoint does not take from a call */
export function completionRequest(
  { chatbot }: NamedModel,
  endpoint: Endpoint,
  messages: ModelMessage[],
  params: Record<string, unknown>,
): ReplyRequest | HttpProblem {
  const [pinned] = overriddenPins(params, endpoint.pinned ?? []);
  if (pinned !== undefined) return invalid([pinned], "is pinned by the endpoint").failure;
  const problem = findParamProblem(endpoint.connectorType, JSON.stringify(params));
  if (problem) return invalid([problem.name], problem.message).failure;
  const { alternateRoles } = PROVIDERS[endpoint.connectorType];
  return buildRequest(
    { endpoint, previousCalls: 0, alternateRoles },
    { messages: withPersona(messages, chatbot?.systemPrompt ?? null), isComplete: true },
    { overrides: mergeParams(chatbot?.params ?? "{}", JSON.stringify(params), []), withReceipt: false },
  );
}

/** The chatbot's system prompt stands behind the caller's own, and before the conversation. */
function withPersona(messages: ModelMessage[], systemPrompt: string | null): ModelMessage[] {
  if (systemPrompt === null) return messages;
  const start = messages.findIndex(({ role }) => role !== "system");
  const at = start === -1 ? messages.length : start;
  return messages.toSpliced(at, 0, { role: "system", content: systemPrompt });
}
