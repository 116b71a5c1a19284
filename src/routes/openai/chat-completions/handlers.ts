/**
 * `POST /openai/v1/chat/completions`: without a session, where nothing is kept, or in one. Effects: those of the call to the
 * model or the session.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { ReplyEnd } from "../../../core/reply.ts";
import { now } from "../../../core/time.ts";
import type { AppEnv } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { callModel } from "../call-model.ts";
import type { ConversationQuestion } from "../../../live/session-client.ts";
import type { OpenReply } from "../../http/open-reply.ts";
import { checkStreamOptions, unsupported } from "../errors.ts";
import { readMessages } from "../messages.ts";
import { readModelRequest } from "../model-request.ts";
import type { ModelCall } from "../model-request.ts";
import { findOwnSession } from "../../http/session-owners.ts";
import { askOpened, createSession } from "../open-session.ts";
import { respondWithReply } from "../respond-with-reply.ts";
import { problemInNewSession, readQuestion } from "../session-question.ts";
import { CompletionEvents, newCompletionHead, presentCompletion } from "./present.ts";
import type { CreateCompletion } from "./schemas.ts";

type AppContext = Context<AppEnv>;
type Input = z.output<typeof CreateCompletion>;

const TEXT_PARTS = ["text"];

const ONLY_STORED = unsupported("unsupported_parameter", ["store"], "a completion in a session is stored");

export async function createCompletion(c: AppContext, input: Input) {
  const problem = checkStreamOptions(input);
  if (problem) return respondWithProblem(c, problem);
  const messages = readMessages(input.messages, "messages", TEXT_PARTS);
  if ("reason" in messages) return respondWithProblem(c, messages);
  const { model, messages: _messages, stream, stream_options: options, n: _n, store: _store, ...params } = input;
  const call = { model, messages, params, field: "messages" };
  const asked = await ask(c, call, input);
  if ("reason" in asked) return respondWithProblem(c, asked);
  const head = newCompletionHead(asked.turnId ?? crypto.randomUUID().replaceAll("-", ""), model, now());
  const includeUsage = options?.include_usage === true;
  const form = {
    events: new CompletionEvents(head, { includeUsage, caller: c.var.caller }),
    whole: (text: string, end: ReplyEnd) => presentCompletion(head, text, end),
  };
  return respondWithReply(c, asked.reply, form, stream === true);
}

/** Asks the model, or the session that the call names or makes. */
async function ask(
  c: AppContext,
  call: ModelCall,
  input: Input,
): Promise<{ reply: OpenReply; turnId?: string } | HttpProblem> {
  const named = c.req.header("x-parley-session");
  if (named === undefined && !input.store) {
    const request = await readModelRequest(c, call);
    return "reason" in request ? request : { reply: await callModel(c, request) };
  }
  if (input.store === false) return ONLY_STORED;
  const { user: _user, metadata: _metadata, ...params } = call.params;
  const question = await readQuestion(c, { ...call, params }, "start");
  if ("reason" in question) return question;
  const opened = named === undefined ? await openNew(c, question, input) : await findOwnSession(c, named);
  return "reason" in opened ? opened : askOpened(c, opened, question, input.stream === true);
}

const openNew = async (c: AppContext, question: ConversationQuestion, input: Input) =>
  problemInNewSession(question, "messages") ?? createSession(c, input, question);
