/**
 * `Idempotency-Key`: validates the header, and makes routes that create something in D1 create it once per key.
 * Commands of a session do not use {@link createOnce}: the session's object stores their keys itself, with what they
 * append. Effects: queries to D1, and a wait while the first call under a key is still running.
 */
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { sha256Hex } from "../../crypto/secrets.ts";
import { fingerprintSecret } from "../../crypto/sealed-tokens.ts";
import { isAnonymous } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import { now } from "../../core/time.ts";
import type { IdempotencyKey } from "../../live/session-client.ts";
import { clientStore } from "../../store/chatbots-and-clients.ts";
import { database } from "../../store/database.ts";
import type { Database } from "../../store/database.ts";
import { claimKey, saveResponse, releaseKey } from "../../store/idempotency-keys.ts";
import type { Claim, CreatedResource, SavedResponse } from "../../store/idempotency-keys.ts";
import type { AppEnv, BodyMiddleware } from "./context.ts";
import { measure } from "./context.ts";
import type { HttpProblem } from "./problem.ts";
import { respondWithProblem } from "./respond-with-problem.ts";

/** `Retry-After` while the first call under a key is still running, in seconds. */
const RETRY_SECONDS = 1;

/** How many times to look for the first call's answer, and the pause between, in milliseconds. */
const ATTEMPTS = 20;
const ATTEMPT_MS = 100;

/**
 * Answers 400 to an invalid `Idempotency-Key`: it must be 1 to 200 visible ASCII characters. Only a POST uses it. All
 * callers without a token look the same, so one would get another's answer: they cannot use it at all.
 */
export const validateIdempotencyKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const key = c.req.header("idempotency-key");
  if (key === undefined || c.req.method !== "POST") return next();
  const caller = c.get("caller") as Caller | undefined;
  if (caller && isAnonymous(caller)) return respondWithProblem(c, { reason: "idempotency-key-without-token" });
  return /^[\x21-\x7e]{1,200}$/.test(key) ? next() : respondWithProblem(c, { reason: "idempotency-key-invalid" });
};

/** The caller's `Idempotency-Key` for this route; `null` when the call has none. */
export function idempotencyKeyOf(c: Context<AppEnv>): IdempotencyKey | null {
  const key = c.req.header("idempotency-key");
  return key === undefined ? null : { caller: c.var.caller.id, key: `${routePath(c)} ${key}` };
}

/** Marks an answer that repeats an earlier one. */
export function markReplayed(c: Context, replayed: boolean | undefined): void {
  if (replayed) c.header("idempotency-replayed", "true");
}

/**
 * The statements that save the answer to a call under a key, until the resource is deleted. Run them in the transaction
 * that creates the resource. None for a call without a key.
 */
export function saveResponseStatements(
  c: Context<AppEnv>,
  resource: CreatedResource,
  answer: object,
  httpStatus: 200 | 201,
): D1PreparedStatement[] {
  const { claim } = c.var;
  const response = { httpStatus, body: JSON.stringify(answer), resource };
  return claim ? [saveResponse(database(c.env.DB), claim, response)] : [];
}

/** The answer to the first call under a key. Waits while that call is running. `null` when this call is the first. */
async function waitForFirstResponse(db: Database, claim: Claim): Promise<SavedResponse | null> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await claimKey(db, claim);
    if (first === null || first.httpStatus !== null || attempt === ATTEMPTS) return first;
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
  }
}

/**
 * A hash of a body. An endpoint's token goes into it sealed, so that nobody can guess the token from what is stored.
 */
async function fingerprintOf(input: object, env: Env): Promise<string> {
  const token: unknown = Reflect.get(input, "token");
  const sealed = typeof token === "string" ? { ...input, token: await fingerprintSecret(token, env) } : input;
  return sha256Hex(JSON.stringify(sealed));
}

/**
 * Whether the caller's client exists. A first call finds that out when it writes; a repeated one writes nothing, and a
 * JWT is valid until it expires.
 */
async function hasClient(db: Database, { clientId }: Caller): Promise<boolean> {
  return clientId === null || (await clientStore.find(db, clientId)) !== null;
}

/**
 * Creates once per key: a repeated call gets the first answer. After its client was deleted, a caller gets what a call
 * without a key gets. Place it last before the handler, which saves its answer
 * in the transaction that creates the resource ({@link saveResponseStatements}).
 */
export const createOnce: BodyMiddleware = async (c, next) => {
  const key = idempotencyKeyOf(c);
  if (!key) return next();
  const db = database(c.env.DB);
  // The validated body: neither the order of its fields nor an ignored field makes it another body.
  const input = c.req.valid("json");
  const claim = { ...key, fingerprint: await fingerprintOf({ ...input, ...c.req.param() }, c.env), at: now() };
  const first = await measure(c, "index", waitForFirstResponse(db, claim));
  if (first === null) {
    c.set("claim", claim);
    await next();
    if (!c.res.ok) await releaseKey(db, claim);
    return;
  }
  if (!(await measure(c, "index", hasClient(db, c.var.caller)))) return next();
  if (first.fingerprint !== claim.fingerprint) return respondWithProblem(c, { reason: "idempotency-conflict" });
  if (first.httpStatus === null)
    return respondWithProblem(c, { reason: "still-under-way", retryAfterSeconds: RETRY_SECONDS });
  markReplayed(c, true);
  return c.body(first.body ?? "", first.httpStatus as 200, { "content-type": "application/json" });
};

/**
 * For a route that goes on after it has created something: what the first call under the key has created, as
 * {@link saveResponseStatements} saved it; `null` for the first call, and for a call without a key.
 */
export async function claimCreation(
  c: Context<AppEnv>,
  input: object,
): Promise<{ created: object | null } | HttpProblem> {
  const key = idempotencyKeyOf(c);
  if (!key) return { created: null };
  const claim = { ...key, fingerprint: await fingerprintOf(input, c.env), at: now() };
  const first = await measure(c, "index", waitForFirstResponse(database(c.env.DB), claim));
  if (first === null) {
    c.set("claim", claim);
    return { created: null };
  }
  if (first.fingerprint !== claim.fingerprint) return { reason: "idempotency-conflict" };
  return first.httpStatus === null
    ? { reason: "still-under-way", retryAfterSeconds: RETRY_SECONDS }
    : { created: JSON.parse(first.body ?? "{}") as object };
}

/** Lets a later call under the key create, because this one has created nothing. */
export async function releaseClaim(c: Context<AppEnv>): Promise<void> {
  if (c.var.claim) await releaseKey(database(c.env.DB), c.var.claim);
}
