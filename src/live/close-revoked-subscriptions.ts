/**
 * Closes the subscriptions of revoked API keys and deleted clients, in all sessions. Revoking and deleting call it, and
 * so does cron.
 *
 * Which subscriptions a session has open does not belong here: that is `streaming/subscribers.ts`. Effects: D1 and RPC
 * to the objects.
 */
import { rootCause } from "../core/failure.ts";
import type { Database } from "../store/database.ts";
import { forgetClosedRevocations, removeSubscription, revokedSubscriptions } from "../store/subscriptions.ts";
import { sessionStub } from "./session-client.ts";

/** Subscriptions per call. One invocation can make 1,000 subrequests, and each subscription needs two. */
const MAX_SUBSCRIPTIONS = 400;

/**
 * Closes what was opened with a revoked key, or for a deleted client. Cron retries the subscriptions that fail and those
 * beyond the limit.
 *
 * @param keyIds the keys and clients, by `revocableId`; `null` for all that were revoked or deleted
 */
export async function closeRevokedSubscriptions(env: Env, db: Database, keyIds: string[] | null): Promise<void> {
  const subscriptions = await revokedSubscriptions(db, keyIds, MAX_SUBSCRIPTIONS);
  const closings = subscriptions.map(async ({ isOpen, ...subscription }) => {
    // The end of a session has closed its streams, and its object is gone: cron leaves it alone. But who revokes a key now
    // may do so before D1 knows that the session was opened again.
    if (isOpen || keyIds !== null)
      await sessionStub(env, subscription.sessionId).dismiss({ keyId: subscription.keyId });
    await removeSubscription(db, subscription);
  });
  for (const outcome of await Promise.allSettled(closings)) {
    if (outcome.status === "rejected")
      console.error({ event: "subscription-not-closed", error: rootCause(outcome.reason) });
  }
  await forgetClosedRevocations(db);
}
