import { rootCause } from "../core/failure.ts";
import type { Database } from "../store/database.ts";
import { subscriptionsOfRevokedKeys, removeSubscription } from "../store/subscriptions.ts";
import { sessionStub } from "./session-client.ts";

/** Sessions told in one go. One invocation may make 1,000 calls, and each takes two. */
const MAX_SUBSCRIPTIONS = 400;

/**
 * Closes what is open by a revoked key, in whichever session. What cannot be reached, and what is too much for one go, is
 * found again by the cron pass.
 *
 * @param keyId the key, or `null` for all that were ever revoked
 */
export async function closeRevokedSubscriptions(env: Env, db: Database, keyId: string | null): Promise<void> {
  const subscriptions = await subscriptionsOfRevokedKeys(db, keyId, MAX_SUBSCRIPTIONS);
  const closings = subscriptions.map(async (subscription) => {
    await sessionStub(env, subscription.sessionId).dismiss(subscription.keyId);
    await removeSubscription(db, subscription);
  });
  for (const outcome of await Promise.allSettled(closings)) {
    if (outcome.status === "rejected")
      console.error({ event: "subscription-not-closed", error: rootCause(outcome.reason) });
  }
}
