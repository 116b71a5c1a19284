/**
 * JWTs: verifies a token of the identity provider and reads the caller from its claims. Reading and caching keys is in
 * `jwks.ts`. Effects: those of reading the key set; takes the time as an argument.
 */
import { errors, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import { asObjectId } from "../core/id.ts";
import type { Caller } from "../core/caller.ts";
import { CALLER_ROLES } from "../core/caller.ts";
import { LAST_MS } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";
import { keySetOf } from "./jwks.ts";
import type { KeySetReader } from "./jwks.ts";

/** The longest `sub`, in characters: it becomes part of idempotency keys and of the audit log. */
const MAX_SUBJECT_CHARACTERS = 1_024;

/** Allowed difference between clocks, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** The issuer of JWTs. */
export interface IdentityProvider {
  /** URL of its key set. */
  keySetUrl: string;
  issuer: string;
  audience: string;
}

/** Whether a token has the form of a JWT. */
export const isJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/**
 * Verifies a JWT: RS256 or ES256, with the provider's issuer and audience, and with `exp` and `sub`. Role and client id
 * are the claims `role` and `client_id`. Without `sub`, two users would be one caller. RFC 7519; RFC 8725, 3.
 *
 * @returns `null` for an invalid token; a caller without a role for a valid token that has no role in Parley
 * @throws KeySetUnavailable
 */
export async function verifyJwt(
  token: string,
  { keySetUrl, issuer, audience }: IdentityProvider,
  reader: KeySetReader,
  at: EpochMs,
): Promise<Caller | null> {
  const options = {
    algorithms: ["RS256", "ES256"],
    issuer,
    audience,
    requiredClaims: ["exp", "sub"],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(at),
  };
  for (const keyNotFound of [false, true]) {
    const keys = await keySetOf(keySetUrl).keys(reader, at, keyNotFound);
    try {
      return callerOf((await jwtVerify(token, keys, options)).payload);
    } catch (error) {
      // An unknown key may be new. Any other error means that the token is invalid.
      if (!(error instanceof errors.JWKSNoMatchingKey)) return null;
    }
  }
  return null;
}

/** The client that a claim names. A list with one id must not pass for the id. */
const clientOf = (claim: unknown): string | null => (typeof claim === "string" ? asObjectId(claim) : null);

function callerOf({ sub, exp = 0, ...claims }: JWTPayload): Caller | null {
  if (typeof sub !== "string" || sub === "" || sub.length > MAX_SUBJECT_CHARACTERS) return null;
  const expiresAt = (exp + CLOCK_TOLERANCE_SECONDS) * 1000;
  if (expiresAt > LAST_MS) return null;
  const role = CALLER_ROLES.find((candidate) => candidate === claims["role"]) ?? null;
  const clientId = role === "client" ? clientOf(claims["client_id"]) : null;
  return {
    role: role === "client" && clientId === null ? null : role,
    id: `jwt:${sub}`,
    keyId: null,
    clientId,
    expiresAt,
  };
}
