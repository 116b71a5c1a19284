/**
 * Rate limits of calls: by address, by caller, and of failed sign-ins by address. They use the rate limit bindings of
 * `wrangler.toml`, where the numbers are. The limits of an endpoint do not belong here: those are in
 * `providers/limits`. Effects: calls to the bindings.
 */
import type { Context, MiddlewareHandler } from "hono";
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
function addressOf(c: Context<AppEnv>): string | null {
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
async function isWithinLimit(c: Context<AppEnv>, limit: RateLimit | undefined, key: string | null): Promise<boolean> {
  if (!limit || key === null || c.env.RATE_LIMITS === "off") return true;
  return limit.limit({ key }).then(
    ({ success }) => success,
    () => true,
  );
}

/** Limits the calls of an address, before any query. `/healthz` has no limit. */
export const limitAddress: MiddlewareHandler<AppEnv> = async (c, next) =>
  c.req.path === "/healthz" || (await isWithinLimit(c, c.env.ADDRESS_LIMIT, addressOf(c)))
    ? next()
    : respondWithProblem(c, TOO_MANY_CALLS);

/** Limits the calls of a caller, from all its addresses together. Callers without a token are counted by address. */
export const limitCaller: MiddlewareHandler<AppEnv> = async (c, next) => {
  const caller = c.get("caller") as Caller | undefined;
  if (!caller) return next();
  const key = caller.id === "anonymous" ? addressOf(c) : caller.id;
  return (await isWithinLimit(c, c.env.CALLER_LIMIT, key)) ? next() : respondWithProblem(c, TOO_MANY_CALLS);
};

/** Whether an address has failed to sign in too often. */
export const exceedsSignInLimit = async (c: Context<AppEnv>): Promise<boolean> =>
  !(await isWithinLimit(c, c.env.SIGN_IN_LIMIT, addressOf(c)));
