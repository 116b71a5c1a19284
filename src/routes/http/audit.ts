import type { Context } from "hono";
import type { Caller } from "../../core/caller.ts";
import type { AppEnv } from "./context.ts";

/** What is written down of those who call. */
export type AuditEvent =
  | "sign-in-failed"
  | "key-created"
  | "key-revoked"
  | "endpoint-created"
  | "endpoint-updated"
  | "endpoint-deleted"
  | "session-deleted"
  | "chatbot-deleted"
  | "client-deleted"
  | "prompt-template-deleted";

/**
 * Writes down who did what, as a line of the Worker's log: never a token, nor what anybody said.
 *
 * @param what the ids and names that tell it from others of its kind
 */
export function audit(
  c: Context<AppEnv>,
  event: AuditEvent,
  what: Record<string, string | string[] | null> = {},
): void {
  const caller = c.get("caller") as Caller | undefined;
  console.info({
    event,
    requestId: c.var.requestId,
    caller: caller ? { role: caller.role, id: caller.id } : null,
    address: c.req.header("cf-connecting-ip") ?? null,
    ...what,
  });
}
