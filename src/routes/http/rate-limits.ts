import type { Context, MiddlewareHandler } from "hono";
import type { Caller } from "../../core/caller.ts";
import type { AppEnv } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** When to come again, in seconds: the limits of wrangler.toml count within a minute. */
const PERIOD_SECONDS = 60;

/** How a call over a limit is turned away. */
export const TOO_MANY_CALLS = { reason: "too-many-calls", retryAfterSeconds: PERIOD_SECONDS } as const;

/**
 * Where a call comes from; `null` where Cloudflare does not tell. Of an IPv6 address the network: whoever has one has all
 * 2^64 of it. RFC 6177, 2.
 */
function addressOf(c: Context<AppEnv>): string | null {
  const address = c.req.header("cf-connecting-ip");
  return address === undefined ? null : networkOf(address);
}

/** The first four groups of an IPv6 address; anything else as it is. */
function networkOf(address: string): string {
  const url = `http://[${address}]`;
  if (!address.includes(":") || !URL.canParse(url)) return address;
  const [head = "", tail] = new URL(url).hostname.slice(1, -1).split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4).join(":");
}

const groupsOf = (part: string): string[] => part.split(":").filter((group) => group !== "");

/** Whether one more call is within a limit. Where none is bound, or it cannot be asked, every call is. */
async function isWithinLimit(c: Context<AppEnv>, limit: RateLimit | undefined, key: string | null): Promise<boolean> {
  if (!limit || key === null || c.env.RATE_LIMITS === "off") return true;
  return limit.limit({ key }).then(
    ({ success }) => success,
    () => true,
  );
}

/** Turns away an address that calls too often, before anything is looked up for it. Who asks after our health may ask. */
export const limitAddress: MiddlewareHandler<AppEnv> = async (c, next) =>
  c.req.path === "/healthz" || (await isWithinLimit(c, c.env.ADDRESS_LIMIT, addressOf(c)))
    ? next()
    : respondWithProblem(c, TOO_MANY_CALLS);

/** Turns away a caller who calls too often, from wherever. Callers without a token are told apart by address. */
export const limitCaller: MiddlewareHandler<AppEnv> = async (c, next) => {
  const caller = c.get("caller") as Caller | undefined;
  if (!caller) return next();
  const key = caller.id === "anonymous" ? addressOf(c) : caller.id;
  return (await isWithinLimit(c, c.env.CALLER_LIMIT, key)) ? next() : respondWithProblem(c, TOO_MANY_CALLS);
};

/** Whether an address has shown bad tokens so often that it is told to stay away. */
export const exceedsSignInLimit = async (c: Context<AppEnv>): Promise<boolean> =>
  !(await isWithinLimit(c, c.env.SIGN_IN_LIMIT, addressOf(c)));
