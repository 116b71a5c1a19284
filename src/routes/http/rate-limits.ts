/**
 * Rate limits of calls: by address and by caller. They use the rate limit bindings of `wrangler.toml`, where the numbers
 * are. The limit of failed sign-ins is in `sign-in-limit.ts`, those of an endpoint are in `providers/limits`. Effects:
 * calls to the bindings.
 */
import type { Context, MiddlewareHandler } from "hono";
import { isAnonymous, isBackend } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import type { AppEnv } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** `Retry-After` in seconds: the limits of `wrangler.toml` count calls per minute. */
const PERIOD_SECONDS = 60;

/** The problem of a call over a limit. */
export const TOO_MANY_CALLS = { reason: "too-many-calls", retryAfterSeconds: PERIOD_SECONDS } as const;

/**
 * The address that a call comes from; `null` where Cloudflare does not provide it. Of an IPv6 address only the /64
 * network: one subscriber has all 2^64 addresses in it. RFC 6177, 2.
 */
export function addressOf(c: Context<AppEnv>): string | null {
  const address = c.req.header("cf-connecting-ip");
  return address === undefined ? null : networkOf(address);
}

/** The first four groups of an IPv6 address. Any other address unchanged. */
function networkOf(address: string): string {
  const url = `http://[${address}]`;
  if (!address.includes(":") || !URL.canParse(url)) return address;
  const [start = "", end] = new URL(url).hostname.slice(1, -1).split("::");
  const [before, after] = [groupsOf(start), groupsOf(end ?? "")];
  const zeros = end === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4).join(":");
}

const groupsOf = (text: string): string[] => text.split(":").filter((group) => group !== "");

/** Whether one more call is within a limit. Without a binding, or when the binding fails, every call is. */
export async function isWithinLimit(
  c: Context<AppEnv>,
  limit: RateLimit | undefined,
  key: string | null,
): Promise<boolean> {
  if (!limit || key === null || c.env.RATE_LIMITS === "off") return true;
  return limit.limit({ key }).then(
    ({ success }) => success,
    () => true,
  );
}

/**
 * Whether the address of a call has made too many. Counts the call, once, however often it is asked. Calls by services
 * and admins do not count: one address is their whole backend.
 */
export async function exceedsAddressLimit(c: Context<AppEnv>): Promise<boolean> {
  const counted = c.get("addressLimit") ?? isWithinLimit(c, c.env.ADDRESS_LIMIT, addressOf(c));
  c.set("addressLimit", counted);
  return !(await counted);
}

/**
 * Limits the calls of a caller, from all its addresses together: services and admins by one limit, clients by another.
 * Callers without a token are limited by address only.
 */
export const limitCaller: MiddlewareHandler<AppEnv> = async (c, next) => {
  const caller = c.get("caller") as Caller | undefined;
  if (!caller || isAnonymous(caller)) return next();
  const limit = isBackend(caller) ? c.env.SERVICE_LIMIT : c.env.CLIENT_LIMIT;
  return (await isWithinLimit(c, limit, caller.id)) ? next() : respondWithProblem(c, TOO_MANY_CALLS);
};
