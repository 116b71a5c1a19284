/**
 * `POST /openai/v1/responses`: in a session, or with `store: false` without one. Effects: those of the call to the model or the
 * session.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { ValidationIssue } from "../../../core/failure.ts";
import type { ModelMessage, ReplyEnd } from "../../../core/reply.ts";
import { now } from "../../../core/time.ts";
import type { ConversationQuestion } from "../../../live/session-client.ts";
import { readSession } from "../../../live/read-session.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { callModel } from "../call-model.ts";
import type { OpenReply } from "../../http/open-reply.ts";
import { checkStreamOptions, unsupported } from "../errors.ts";
import { CHATBOT_PREFIX } from "../model-ids.ts";
import { CLIENT_INSTRUCTS, readModelRequest } from "../model-request.ts";
import type { ModelCall } from "../model-request.ts";
import { findOwnSession } from "../../http/session-owners.ts";
import { askOpened, createSession } from "../open-session.ts";
import type { OpenedSession } from "../open-session.ts";
import { respondWithReply } from "../respond-with-reply.ts";
import { problemInNewSession, readQuestion } from "../session-question.ts";
import { ResponseEvents } from "./events.ts";
import { readInput } from "./input.ts";
import { finishedResponse, newResponseHead, requestFieldsOf, storedHead, storedTurnOf } from "./present.ts";
import type { ResponseHead } from "./present.ts";
import type { CreateResponse } from "./schemas.ts";

type AppContext = Context<AppEnv>;
type Input = z.output<typeof CreateResponse>;

export async function createResponse(c: AppContext, input: Input) {
  const problem = checkStreamOptions(input);
  if (problem) return respondWithProblem(c, problem);
  const messages = await readInput(c, input);
  if ("reason" in messages) return respondWithProblem(c, messages);
  if (input.instructions != null && c.var.caller.role === "client") return respondWithProblem(c, NO_INSTRUCTIONS);
  if (c.req.header("x-parley-session") !== undefined) return respondWithProblem(c, SESSION_BY_HEADER);
  const asked = isStored(c, input) ? await askInSession(c, input, messages) : await askWithout(c, input, messages);
  if ("reason" in asked) return respondWithProblem(c, asked);
  const { head, reply } = asked;
  const form = {
    events: new ResponseEvents(head, c.var.caller),
    whole: (text: string, end: ReplyEnd) => finishedResponse(head, text, end),
  };
  return respondWithReply(c, reply, form, input.stream === true);
}

const NO_INSTRUCTIONS = unsupported("unsupported_content", ["instructions"], CLIENT_INSTRUCTS);

/** Where the header is not looked at, each call would make a session of its own. */
const SESSION_BY_HEADER = unsupported(
  "unsupported_parameter",
  ["x-parley-session"],
  "names no session for a response: send the session's id as conversation",
);

/**
 * Clients of OpenAI's API leave `store` out and mean `true`. Where nothing says whose session it would be, the response is
 * not stored, and says so.
 */
function isStored({ var: { caller } }: AppContext, { store, model, ...input }: Input): boolean {
  if (store != null) return store;
  if (input.previous_response_id != null || input.conversation != null) return true;
  if (!model.startsWith(CHATBOT_PREFIX)) return caller.role !== "client";
  return caller.clientId !== null || input.user != null || input.metadata?.["client_id"] !== undefined;
}

interface AskedResponse {
  head: ResponseHead;
  reply: OpenReply;
}

function callOf({ model, max_output_tokens, temperature, top_p }: Input, messages: ModelMessage[]): ModelCall {
  const params = { max_output_tokens, temperature, top_p };
  return { model, messages, params, field: "input", maxTokensField: "max_output_tokens" };
}

async function askWithout(c: AppContext, input: Input, messages: ModelMessage[]): Promise<AskedResponse | HttpProblem> {
  if (input.previous_response_id != null || input.conversation != null) return ONLY_STORED;
  const request = await readModelRequest(c, callOf(input, messages));
  if ("reason" in request) return request;
  const head = newResponseHead(crypto.randomUUID().replaceAll("-", ""), { ...input, store: false }, now());
  return { head, reply: await callModel(c, request) };
}

const ONLY_STORED = unsupported("unsupported_parameter", ["store"], "a response in a conversation is stored");

async function askInSession(
  c: AppContext,
  input: Input,
  messages: ModelMessage[],
): Promise<AskedResponse | HttpProblem> {
  const place = placeOf(input);
  if ("reason" in place) return place;
  const question = await readQuestion(c, callOf(input, messages), place.from);
  if ("reason" in question) return question;
  const opened = await openSession(c, input, question, place.sessionId);
  if ("reason" in opened) return opened;
  const { sessionId } = opened;
  const requestFields = requestFieldsOf(input);
  const whole = requestFields === undefined ? question : { ...question, requestFields };
  const asked = await askOpened(c, opened, whole, input.stream === true);
  if (!("reason" in asked)) return { head: storedHead({ sessionId, turnId: asked.turnId }, input), reply: asked.reply };
  if (typeof place.from === "object" && (await isMissing(c, asked, sessionId))) return PREVIOUS_NOT_FOUND;
  return asked.reason === "invalid" ? { ...asked, issues: asked.issues.map(asInput) } : asked;
}

/** The messages of a session are the input here. */
const asInput = ({ message }: ValidationIssue): ValidationIssue => ({ path: ["input"], message });

/** Whether a turn is missing, or its session. To a prompt, a missing session and one that has ended are the same. */
async function isMissing(c: AppContext, problem: HttpProblem, sessionId: string): Promise<boolean> {
  if (problem.reason === "session-not-active") return (await readSession(readerOf(c), sessionId, "added")) === null;
  return problem.reason === "not-found" && problem.resource === "turn";
}

interface Place {
  /** `null` for a new session. */
  sessionId: string | null;
  from: ConversationQuestion["from"];
}

/** Where the input goes on. */
function placeOf({ previous_response_id: previous, conversation }: Input): Place | HttpProblem {
  if (previous != null && conversation != null) return ONE_PLACE;
  if (conversation != null)
    return { sessionId: typeof conversation === "string" ? conversation : conversation.id, from: "end" };
  if (previous == null) return { sessionId: null, from: "end" };
  const turn = storedTurnOf(previous);
  return turn ? { sessionId: turn.sessionId, from: { turnId: turn.turnId } } : PREVIOUS_NOT_FOUND;
}

const ONE_PLACE = unsupported(
  "unsupported_parameter",
  ["conversation"],
  "only one of previous_response_id and conversation can be sent",
);

const PREVIOUS_NOT_FOUND = unsupported(
  "previous_response_not_found",
  ["previous_response_id"],
  "there is no such response",
);

async function openSession(
  c: AppContext,
  input: Input,
  question: ConversationQuestion,
  named: string | null,
): Promise<OpenedSession | HttpProblem> {
  if (named === null) return problemInNewSession(question, "input") ?? createSession(c, input, question);
  const found = await findOwnSession(c, named);
  return "reason" in found && input.previous_response_id != null ? PREVIOUS_NOT_FOUND : found;
}
