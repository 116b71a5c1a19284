/**
 * The audit log: one line of the Worker's log for each change that an operator must be able to trace, and for each
 * failed sign-in. It names the caller, never a token and never the text of a message. Other log lines do not belong
 * here.
 */
import type { Context } from "hono";
import type { Caller } from "../../core/caller.ts";
import type { AppEnv } from "./context.ts";
import { requestIdsOf } from "./request-id.ts";

export type AuditEvent =
  | "sign-in-failed"
  | "key-created"
  | "key-revoked"
  | "endpoint-created"
  | "endpoint-updated"
  | "endpoint-deleted"
  | "session-deleted"
  | "session-taken-over"
  | "answer-adopted"
  | "chatbot-deleted"
  | "client-deleted"
  | "prompt-template-deleted"
  | "bookmark-deleted"
  | "run-deleted"
  | "bookmarks-deleted";

/**
 * Writes an audit line.
 *
 * @param details ids and names of what was changed, or how much
 */
export function audit(
  c: Context<AppEnv>,
  event: AuditEvent,
  details: Record<string, string | string[] | number | null> = {},
): void {
  const caller = c.get("caller") as Caller | undefined;
  console.info({
    event,
    ...requestIdsOf(c),
    caller: caller ? { role: caller.role, id: caller.id } : null,
    address: c.req.header("cf-connecting-ip") ?? null,
    ...details,
  });
}

/**
 * Waits for a deletion. If its answer is lost, writes the audit line with the outcome `unknown`: it may have had its
 * effect, and then a repeated call finds nothing to delete.
 */
export async function auditIfLost<T>(
  c: Context<AppEnv>,
  event: AuditEvent,
  details: Record<string, string>,
  deletion: Promise<T>,
): Promise<T> {
  try {
    return await deletion;
  } catch (error) {
    audit(c, event, { ...details, outcome: "unknown" });
    throw error;
  }
}
