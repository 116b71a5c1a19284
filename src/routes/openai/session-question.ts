/**
 * What a call asks of a session: the model, the messages, and what is for this call only. What the messages add to the
 * conversation is for the session to find out. Effects: a query to D1 for a call with params of its own.
 */
import type { Context } from "hono";
import { CANNOT_APPEND, canAppend } from "../../core/caller.ts";
import { invalid } from "../../core/failure.ts";
import { asObjectId } from "../../core/id.ts";
import type { ConversationQuestion } from "../../live/session-client.ts";
import type { AppEnv } from "../http/context.ts";
import type { HttpProblem } from "../http/problem.ts";
import { unsupported } from "./errors.ts";
import { CHATBOT_PREFIX } from "./model-ids.ts";
import { findModel } from "./models.ts";
import { checkMessages, endpointParams, readParams } from "./model-request.ts";
import type { ModelCall } from "./model-request.ts";

/** Where the messages of a call begin in the conversation. */
type From = ConversationQuestion["from"];

export async function readQuestion(
  c: Context<AppEnv>,
  call: ModelCall,
  from: From,
): Promise<ConversationQuestion | HttpProblem> {
  const { caller } = c.var;
  const { messages, field } = call;
  const problem = checkMessages(messages, field, caller);
  if (problem) return problem;
  if (messages.findLast(({ role }) => role !== "system")?.role !== "user")
    return unsupported("unsupported_content", [field], "must end with a message of the user");
  const params = await readCallParams(c, call);
  if (params !== undefined && typeof params !== "string") return params;
  const instructions = messages.filter(({ role, content }) => role === "system" && content.trim() !== "");
  return {
    messages: messages.filter(({ role }) => role !== "system"),
    from,
    ...modelOf(call.model),
    by: { role: caller.role },
    ...(params === undefined ? {} : { params }),
    ...(instructions.length === 0 ? {} : { instructions: instructions.map(({ content }) => content).join("\n\n") }),
  };
}

/** A name that is none of a chatbot is of no session. */
const modelOf = (model: string): Pick<ConversationQuestion, "chatbotId" | "endpointId"> =>
  model.startsWith(CHATBOT_PREFIX)
    ? { chatbotId: asObjectId(model.slice(CHATBOT_PREFIX.length)) ?? "" }
    : { chatbotId: "", endpointId: model };

/** The params of a call as JSON text; `undefined` for none. */
async function readCallParams(c: Context<AppEnv>, call: ModelCall): Promise<string | undefined | HttpProblem> {
  const read = readParams(call.params, c.var.caller);
  if ("reason" in read) return read;
  if (Object.keys(read.params).length === 0) return undefined;
  const model = await findModel(c, call.model);
  if ("reason" in model) return model;
  // Without an endpoint the turn fails, and says so.
  if (!model.endpoint) return undefined;
  const params = endpointParams(model.chatbot, model.endpoint, read.params, call.maxTokensField);
  return "reason" in params ? params : JSON.stringify(params.params);
}

/** @returns the problem of messages that the caller may not add: of those of a new session, all are added */
export const problemInNewSession = ({ messages, by }: ConversationQuestion, field: string): HttpProblem | null =>
  messages.every(({ role }) => canAppend(by, role)) ? null : invalid([field], CANNOT_APPEND).failure;
