/**
 * The limit of failed sign-ins of an address. A rate limit binding cannot be asked without counting, and good sign-ins
 * must not count. So only failures are counted there, and an address that exceeds the limit is kept in the isolate's
 * memory: until its time is over, no token from it is compared with anything. Other isolates keep their own memory, and
 * learn of the address at its next failure there. Effects: calls to the binding, memory, the clock.
 */
import type { Context } from "hono";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import type { AppEnv } from "./context.ts";
import { addressOf, isWithinLimit } from "./rate-limits.ts";

/** How long an address is refused, in milliseconds: the period of the limit in `wrangler.toml`. */
const BLOCK_MS = 60_000;

/** How many addresses to keep. Each has made more than 30 calls, so that many at once are a distributed flood. */
const MAX_BLOCKED_ADDRESSES = 10_000;

const blockedUntil = new Map<string, EpochMs>();

/** Whether the address has failed too often to try again now. */
export function isSignInBlocked(c: Context<AppEnv>): boolean {
  if (blockedUntil.size === 0 || c.env.RATE_LIMITS === "off") return false;
  const address = addressOf(c) ?? "";
  const until = blockedUntil.get(address);
  if (until === undefined) return false;
  if (until > now()) return true;
  blockedUntil.delete(address);
  return false;
}

/** Counts a failed sign-in. @returns whether the address has now failed too often */
export async function countFailedSignIn(c: Context<AppEnv>): Promise<boolean> {
  const address = addressOf(c);
  if (address === null || (await isWithinLimit(c, c.env.SIGN_IN_LIMIT, address))) return false;
  const [oldest] = blockedUntil.keys();
  if (blockedUntil.size >= MAX_BLOCKED_ADDRESSES && oldest !== undefined) blockedUntil.delete(oldest);
  blockedUntil.set(address, now() + BLOCK_MS);
  return true;
}
