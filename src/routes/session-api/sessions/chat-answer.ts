/** The answer to a prompt, however it was asked. No effects. */
import type { Context } from "hono";
import { replyErrorFor } from "../../../core/caller.ts";
import type { Outcome } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import type { PromptResult } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { markReplayed } from "../../http/idempotency.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { mutationBody } from "../envelope.ts";
import { presentMessage } from "./present.ts";

export function respondWithReply(c: Context<AppEnv>, result: Outcome<PromptResult>) {
  if (!result.ok) return respondWithProblem(c, result.failure);
  const { messages, replayed, retryAfterSeconds } = result.value;
  const reply = messages.at(-1) as Message;
  if (reply.reply === null) {
    markReplayed(c, replayed);
    const stored = { ...presentMessage(reply, c.var.caller.role), handler: "human" as const };
    return c.json(mutationBody(stored, "Message stored: a person answers"), 202);
  }
  const error = reply.reply.error ?? null;
  if (error !== null && error.code !== "cancelled")
    return respondWithProblem(c, {
      reason: "reply-failed",
      ...replyErrorFor(c.var.caller.role, error),
      retryAfterSeconds,
    });
  markReplayed(c, replayed);
  return c.json(mutationBody(presentMessage(reply, c.var.caller.role), "Message processed successfully"));
}
