/**
 * `POST /openai/v1/chat/completions`. Without a session nothing is kept: the endpoint is called from here, within its limits
 * and with its retries. Effects: calls to the provider and to the object that keeps the endpoint's limits, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { replyErrorFor } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import type { ReplyEnd, ReplyFailure, ReplyRequest } from "../../../core/reply.ts";
import { now } from "../../../core/time.ts";
import { bodyHashOf, callEndpoint } from "../../../providers/call/call-endpoint.ts";
import type { AppEnv } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { unsupported } from "../errors.ts";
import { findModel } from "../models.ts";
import { checkMessages, completionRequest, readParams } from "./completion-request.ts";
import { completionStream } from "./completion-stream.ts";
import { readMessages } from "./messages.ts";
import { CompletionChunks, newCompletionHead, presentCompletion } from "./present.ts";
import { ReplyInbox } from "./reply-inbox.ts";
import type { CreateCompletion } from "./schemas.ts";

type AppContext = Context<AppEnv>;
type Input = z.output<typeof CreateCompletion>;

/**
 * How long a stream waits for the reply's first text, in milliseconds, so that a failure before it has a status of its own.
 * Then the stream begins without text, because proxies do not wait for ever.
 */
const FIRST_TEXT_WAIT_MS = 10_000;

export async function createCompletion(c: AppContext, input: Input) {
  const request = await readRequest(c, input);
  if ("reason" in request) return respondWithProblem(c, request);
  const bodyHash = await bodyHashOf(request, c.env);
  if (bodyHash !== null) c.header("x-parley-body-sha256", bodyHash);
  const inbox = new ReplyInbox();
  const stop = call(c, request, inbox);
  const head = newCompletionHead(input.model, now());
  const { caller } = c.var;
  if (input.stream) {
    const first = await inbox.next(FIRST_TEXT_WAIT_MS);
    const problem = first?.text === "" && first.final ? problemOf(first.final, caller) : null;
    if (problem) return respondWithProblem(c, problem);
    const chunks = new CompletionChunks(head, input.stream_options?.include_usage === true);
    const source = { chunks, inbox, first, problemOf: (final: ReplyEnd | ReplyFailure) => problemOf(final, caller) };
    return c.body(completionStream({ ...source, onCancel: stop }), 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
    });
  }
  const { text, final } = await inbox.all();
  if (final.type === "failed") return respondWithProblem(c, failureProblem(final, caller));
  return c.json(presentCompletion(head, text, final));
}

async function readRequest(c: AppContext, input: Input): Promise<ReplyRequest | HttpProblem> {
  const { model: modelId, messages: given, stream: _stream, stream_options: _options, n: _n, store, ...others } = input;
  const messages = readMessages(given);
  if ("reason" in messages) return messages;
  const { caller } = c.var;
  const problem = checkMessages(messages, caller) ?? (store ? NOT_STORED : null);
  if (problem) return problem;
  const read = readParams(others, caller);
  if ("reason" in read) return read;
  const model = await findModel(c, modelId);
  if ("reason" in model) return model;
  if (!model.endpoint) return ENDPOINT_MISSING;
  return completionRequest(model, model.endpoint, messages, read.params);
}

const NOT_STORED = unsupported("unsupported_parameter", ["store"], "completions are not stored");

const ENDPOINT_MISSING = {
  reason: "reply-failed",
  code: "endpoint_missing",
  message: "The endpoint of this chatbot no longer exists.",
  retryAfterSeconds: null,
} as const;

/**
 * Calls the endpoint, and stops the call when its caller leaves: nobody else wants the reply.
 *
 * @returns stops the call
 */
function call(c: AppContext, request: ReplyRequest, inbox: ReplyInbox): () => void {
  const stop = new AbortController();
  const { signal } = c.req.raw;
  const abort = () => stop.abort();
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const environment = { env: c.env, waitUntil: (work: Promise<void>) => c.executionCtx.waitUntil(work) };
  // Otherwise the platform would end the invocation with the caller, and the provider would not learn of it.
  environment.waitUntil(callEndpoint(request, stop.signal, (portion) => inbox.add(portion), environment));
  return abort;
}

const problemOf = (final: ReplyEnd | ReplyFailure, caller: Caller): HttpProblem | null =>
  final.type === "failed" ? failureProblem(final, caller) : null;

const failureProblem = (failure: ReplyFailure, caller: Caller): HttpProblem => ({
  reason: "reply-failed",
  ...replyErrorFor(caller.role, { code: failure.code, message: failure.message }),
  retryAfterSeconds: failure.retryAfterSeconds,
});
