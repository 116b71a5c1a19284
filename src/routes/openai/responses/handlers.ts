/**
 * `POST /openai/v1/responses`. Effects: calls to the provider and to the object that keeps the endpoint's limits, queries to
 * D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { ReplyEnd } from "../../../core/reply.ts";
import { now } from "../../../core/time.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { callModel } from "../call-model.ts";
import { unsupported } from "../errors.ts";
import { CLIENT_INSTRUCTS, readModelRequest } from "../model-request.ts";
import { respondWithReply } from "../respond-with-reply.ts";
import { ResponseEvents } from "./events.ts";
import { readInput } from "./input.ts";
import { finishedResponse, newResponseHead } from "./present.ts";
import type { CreateResponse } from "./schemas.ts";

type Input = z.output<typeof CreateResponse>;

export async function createResponse(c: Context<AppEnv>, input: Input) {
  const messages = readInput(input);
  if ("reason" in messages) return respondWithProblem(c, messages);
  if (input.instructions != null && c.var.caller.role === "client") return respondWithProblem(c, NO_INSTRUCTIONS);
  if (input.store !== false) return respondWithProblem(c, NOT_STORED);
  const { model, max_output_tokens, temperature, top_p } = input;
  const params = { max_output_tokens, temperature, top_p };
  const call = { model, messages, params, field: "input", maxTokensField: "max_output_tokens" };
  const request = await readModelRequest(c, call);
  if ("reason" in request) return respondWithProblem(c, request);
  const head = newResponseHead(crypto.randomUUID().replaceAll("-", ""), input, now());
  const form = {
    events: new ResponseEvents(head, c.var.caller),
    whole: (text: string, end: ReplyEnd) => finishedResponse(head, text, end),
  };
  return respondWithReply(c, await callModel(c, request), form, input.stream === true);
}

const NO_INSTRUCTIONS = unsupported("unsupported_content", ["instructions"], CLIENT_INSTRUCTS);

const NOT_STORED = unsupported("unsupported_parameter", ["store"], "responses are not stored: send store: false");
