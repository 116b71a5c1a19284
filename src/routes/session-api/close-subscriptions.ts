/**
 * Closes in the background what was opened with revoked API keys and by deleted clients. How is in
 * `live/close-revoked-subscriptions.ts`. Effects: D1 and RPC to the objects; logs a failure.
 */
import type { Context } from "hono";
import { rootCause } from "../../core/failure.ts";
import { closeRevokedSubscriptions } from "../../live/close-revoked-subscriptions.ts";
import { database } from "../../store/database.ts";
import type { AppEnv } from "../http/context.ts";
import { requestIdsOf } from "../http/request-id.ts";

/** Closes now what cron would close later. @param keyIds as `revocableId` has them; `null` for all that were revoked */
export function closeSubscriptions(c: Context<AppEnv>, keyIds: string[] | null): void {
  const closed = closeRevokedSubscriptions(c.env, database(c.env.DB), keyIds);
  const logFailure = (error: unknown) =>
    console.error({ event: "subscription-not-closed", ...requestIdsOf(c), error: rootCause(error) });
  c.executionCtx.waitUntil(closed.catch(logFailure));
}
