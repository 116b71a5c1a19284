/**
 * Closes the subscriptions of revoked API keys, in all sessions. Revoking a key calls it, and so does cron.
 *
 * Which subscriptions a session has open does not belong here: that is `streaming/subscribers.ts`. Effects: D1 and RPC
 * to the objects.
 */
import { rootCause } from "../core/failure.ts";
import type { Database } from "../store/database.ts";
import { subscriptionsOfRevokedKeys, removeSubscription } from "../store/subscriptions.ts";
import { sessionStub } from "./session-client.ts";

/** Subscriptions per call. One invocation can make 1,000 subrequests, and each subscription needs two. */
const MAX_SUBSCRIPTIONS = 400;

/**
 * Closes what was opened with a revoked key. Cron retries the subscriptions that fail and those beyond the limit.
 *
 * @param keyId the key, or `null` for all revoked keys
 */
export async function closeRevokedSubscriptions(env: Env, db: Database, keyId: string | null): Promise<void> {
  const subscriptions = await subscriptionsOfRevokedKeys(db, keyId, MAX_SUBSCRIPTIONS);
  const closings = subscriptions.map(async ({ isOpen, ...subscription }) => {
    // The end of a session has closed its streams, and its object is gone.
    if (isOpen) await sessionStub(env, subscription.sessionId).dismiss({ keyId: subscription.keyId });
    await removeSubscription(db, subscription);
  });
  for (const outcome of await Promise.allSettled(closings)) {
    if (outcome.status === "rejected")
      console.error({ event: "subscription-not-closed", error: rootCause(outcome.reason) });
  }
}
