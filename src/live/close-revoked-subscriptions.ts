import { rootCause } from "../core/failure.ts";
import type { Database } from "../store/database.ts";
import { subscriptionsOfRevokedKeys, removeSubscription } from "../store/subscriptions.ts";
import { sessionStub } from "./session-client.ts";

/** Sessions told in one go. One invocation may make 1,000 calls, and each takes two. */
const AT_ONCE = 400;

/**
 * Closes what is open by a revoked key, in whichever session. What cannot be reached, and what is too much for one go, is
 * found again by the cron pass.
 *
 * @param keyId the key, or `null` for all that were ever revoked
 */
export async function closeRevokedSubscriptions(env: Env, db: Database, keyId: string | null): Promise<void> {
  const followers = await subscriptionsOfRevokedKeys(db, keyId, AT_ONCE);
  const dismissed = followers.map(async (follower) => {
    await sessionStub(env, follower.sessionId).dismiss(follower.keyId);
    await removeSubscription(db, follower);
  });
  for (const outcome of await Promise.allSettled(dismissed)) {
    if (outcome.status === "rejected") console.error({ event: "not-dismissed", error: rootCause(outcome.reason) });
  }
}
