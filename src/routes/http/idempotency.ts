import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { sha256Hex } from "../../crypto/secrets.ts";
import { fingerprintSecret } from "../../crypto/sealed-tokens.ts";
import { now } from "../../core/time.ts";
import type { IdempotencyKey } from "../../live/log/idempotency.ts";
import { database } from "../../store/database.ts";
import type { Database } from "../../store/database.ts";
import { claimKey, saveResponse, releaseKey } from "../../store/idempotency-keys.ts";
import type { Claim, SavedResponse } from "../../store/idempotency-keys.ts";
import type { AppEnv } from "./context.ts";
import { timed } from "./context.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** When to come again while the first call under a key is under way, in seconds. */
const RETRY_SECONDS = 1;

/** How often, and after what pause in milliseconds, a call looks whether the first under its key was answered. */
const ATTEMPTS = 20;
const ATTEMPT_MS = 100;

/** Refuses an `Idempotency-Key` that is none: 1 to 200 visible ASCII characters. It says nothing beside a POST. */
export const validateIdempotencyKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const key = c.req.header("idempotency-key");
  return key === undefined || c.req.method !== "POST" || /^[\x21-\x7e]{1,200}$/.test(key)
    ? next()
    : respondWithProblem(c, { reason: "idempotency-key-invalid" });
};

/** The caller's `Idempotency-Key` for a route, or `null` for none. */
export function idempotencyKeyOf(c: Context<AppEnv>): IdempotencyKey | null {
  const key = c.req.header("idempotency-key");
  return key === undefined ? null : { caller: c.var.caller.id, key: `${routePath(c)} ${key}` };
}

/** Says that an answer was given before. */
export function markReplayed(c: Context, replayed: boolean | undefined): void {
  if (replayed) c.header("idempotency-replayed", "true");
}

/** What is to be written with the thing that a call under a key creates: its answer. Nothing for a call without a key. */
export function answerToSave(c: Context<AppEnv>, answer: object, httpStatus: 200 | 201): D1PreparedStatement[] {
  const { claim } = c.var;
  return claim ? [saveResponse(database(c.env.DB), claim, httpStatus, JSON.stringify(answer))] : [];
}

/** What the first call was answered; waits a while for one that is under way. `null` when this one is the first. */
async function waitForFirstAnswer(db: Database, claim: Claim): Promise<SavedResponse | null> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await claimKey(db, claim);
    if (first === null || first.httpStatus !== null || attempt === ATTEMPTS) return first;
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
  }
}

/** What tells one body from another. A token that stands in it is not to be guessed from what is stored. */
async function fingerprintOf(asked: object, env: Env): Promise<string> {
  const token: unknown = Reflect.get(asked, "token");
  const told = typeof token === "string" ? { ...asked, token: await fingerprintSecret(token, env) } : asked;
  return sha256Hex(JSON.stringify(told));
}

/**
 * Creates once for a caller's key: the same call again gets the first answer. Placed last before the handler, which writes its
 * answer in the transaction of what it creates ({@link answerToSave}). What a session's object does, it keeps itself.
 */
export const createOnce: MiddlewareHandler<AppEnv> = async (c, next) => {
  const own = idempotencyKeyOf(c);
  if (!own) return next();
  const db = database(c.env.DB);
  // As it was read: neither the order of fields nor one that is ignored makes another body.
  const asked = c.req.valid("json" as never);
  const claim = { ...own, fingerprint: await fingerprintOf(asked, c.env), at: now() };
  const first = await timed(c, "index", waitForFirstAnswer(db, claim));
  if (first === null) {
    c.set("claim", claim);
    await next();
    if (!c.res.ok) await releaseKey(db, claim);
    return;
  }
  if (first.fingerprint !== claim.fingerprint) return respondWithProblem(c, { reason: "idempotency-conflict" });
  if (first.httpStatus === null)
    return respondWithProblem(c, { reason: "still-under-way", retryAfterSeconds: RETRY_SECONDS });
  markReplayed(c, true);
  return c.body(first.body ?? "", first.httpStatus as 200, { "content-type": "application/json" });
};
