/**
 * `POST /openai/v1/chat/completions`. Without a session nothing is kept. Effects: calls to the provider and to the object that
 * keeps the endpoint's limits, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { ReplyEnd } from "../../../core/reply.ts";
import { now } from "../../../core/time.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { callModel } from "../call-model.ts";
import { unsupported } from "../errors.ts";
import { readMessages } from "../messages.ts";
import { readModelRequest } from "../model-request.ts";
import { respondWithReply } from "../respond-with-reply.ts";
import { CompletionEvents, newCompletionHead, presentCompletion } from "./present.ts";
import type { CreateCompletion } from "./schemas.ts";

type Input = z.output<typeof CreateCompletion>;

const TEXT_PARTS = ["text"];

export async function createCompletion(c: Context<AppEnv>, input: Input) {
  const { model, messages: given, stream, stream_options: options, n: _n, store, ...params } = input;
  const messages = readMessages(given, "messages", TEXT_PARTS);
  if ("reason" in messages) return respondWithProblem(c, messages);
  if (store)
    return respondWithProblem(c, unsupported("unsupported_parameter", ["store"], "completions are not stored"));
  const request = await readModelRequest(c, { model, messages, params, field: "messages" });
  if ("reason" in request) return respondWithProblem(c, request);
  const head = newCompletionHead(model, now());
  const includeUsage = options?.include_usage === true;
  const form = {
    events: new CompletionEvents(head, { includeUsage, caller: c.var.caller }),
    whole: (text: string, end: ReplyEnd) => presentCompletion(head, text, end),
  };
  return respondWithReply(c, await callModel(c, request), form, stream === true);
}
