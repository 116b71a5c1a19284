/**
 * What opens a subscription, and how it is passed to the object when a socket opens. Checking the caller does not
 * belong here: the Worker has done that before. Pure.
 */
import type { Caller } from "../../core/caller.ts";

/** Who subscribes to a session, and from where. */
export interface Subscription {
  caller: Caller;
  /** The last message that the subscriber has; `null` to get only new ones. */
  after: number | null;
}

/** A subscription by event stream. */
export interface StreamSubscription extends Subscription {
  /**
   * Identifies the reader, so that the Worker can report when it disconnects. Without it, only a failed write ends the
   * stream.
   */
  readerId?: string;
  /** Whether the reader comes back. It gets no stream if its session has ended, and nothing is left for it. */
  isReturning?: boolean;
}

/** The header of the upgrade request that contains the subscription. */
const SUBSCRIPTION_HEADER = "x-parley-following";

/** The upgrade request to an object. It has none of the caller's own headers. */
export const upgradeRequest = (subscription: Subscription): RequestInit => ({
  headers: { upgrade: "websocket", [SUBSCRIPTION_HEADER]: encodeURIComponent(JSON.stringify(subscription)) },
});

/** The subscription in a request of {@link upgradeRequest}. */
export const subscriptionOf = (upgrade: Request): Subscription =>
  JSON.parse(decodeURIComponent(upgrade.headers.get(SUBSCRIPTION_HEADER) ?? "")) as Subscription;
