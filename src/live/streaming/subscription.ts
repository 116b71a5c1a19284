import type { Caller } from "../../core/caller.ts";

/** What it takes to follow a session. */
export interface Subscription {
  caller: Caller;
  /** The last message that the follower has; `null` to begin with what comes. */
  after: number | null;
}

/** What it takes to follow a session by an event stream. */
export interface StreamSubscription extends Subscription {
  /** Names the reader when its connection has ended. Left out by a Worker that does not tell. */
  readerId?: string;
}

/** Where the Worker writes who opens a socket: it has asked for the token already. */
const SUBSCRIPTION_HEADER = "x-parley-following";

/** An upgrade as an object takes it: everything that the caller sent is left behind. */
export const upgradeRequest = (subscription: Subscription): RequestInit => ({
  headers: { upgrade: "websocket", [SUBSCRIPTION_HEADER]: encodeURIComponent(JSON.stringify(subscription)) },
});

/** Who opens a socket by an upgrade made with {@link upgradeRequest}. */
export const subscriptionOf = (upgrade: Request): Subscription =>
  JSON.parse(decodeURIComponent(upgrade.headers.get(SUBSCRIPTION_HEADER) ?? "")) as Subscription;
