/**
 * Calls a model without a session: from here, within its endpoint's limits and with its retries. Nothing is kept. Effects:
 * calls to the provider and to the object that keeps the endpoint's limits.
 */
import type { Context } from "hono";
import { replyErrorFor } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import type { ReplyRequest } from "../../core/reply.ts";
import { bodyHashOf, callEndpoint } from "../../providers/call/call-endpoint.ts";
import type { AppEnv } from "../http/context.ts";
import type { HttpProblem } from "../http/problem.ts";
import { ReplyInbox } from "../http/reply-inbox.ts";
import { isOfReader, problemOfReader } from "../http/open-reply.ts";
import type { FinalEvent, OpenReply } from "../http/open-reply.ts";

/**
 * Calls an endpoint, and stops the call when its caller leaves: nobody else wants the reply. The hash of what is sent is in
 * a header of the answer.
 */
export async function callModel(c: Context<AppEnv>, request: ReplyRequest): Promise<OpenReply> {
  const bodyHash = await bodyHashOf(request, c.env);
  if (bodyHash !== null) c.header("x-parley-body-sha256", bodyHash);
  const controller = new AbortController();
  const { signal } = c.req.raw;
  const stop = () => controller.abort();
  const inbox = new ReplyInbox(stop);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const environment = { env: c.env, waitUntil: (work: Promise<void>) => c.executionCtx.waitUntil(work) };
  // Otherwise the platform would end the invocation with the caller, and the provider would not learn of it.
  environment.waitUntil(callEndpoint(request, controller.signal, (portion) => inbox.add(portion), environment));
  return inbox;
}

/** The problem of a reply that failed, in the words that its caller may read; `null` for one that did not. */
export function problemOfReply(final: FinalEvent, { role }: Caller): HttpProblem | null {
  if (final.type === "end") return null;
  if (final.type === "human") return { reason: "human-handles" };
  if (isOfReader(final)) return problemOfReader(final);
  const { code, message, retryAfterSeconds } = final;
  return { reason: "reply-failed", ...replyErrorFor(role, { code, message }), retryAfterSeconds };
}
