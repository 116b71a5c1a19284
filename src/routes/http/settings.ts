import { isJwt } from "../../auth/jwt.ts";
import type { IdentityProvider } from "../../auth/jwt.ts";
import { canSeal } from "../../crypto/sealed-tokens.ts";
import { isZone } from "../../core/time.ts";
import { isOrigin } from "./cors.ts";
import type { HttpProblem } from "./problem.ts";

const misconfiguration = (message: string): HttpProblem => ({ reason: "misconfigured", message });

/** Who vouches for JWTs, or `null` where that is not set, or not set right: then no JWT is good. */
export function identityProviderOf(env: Env): IdentityProvider | null {
  const { JWT_JWKS_URL: keySetUrl = "", JWT_ISSUER: issuer = "", JWT_AUDIENCE: audience = "" } = env;
  return jwtSettingsProblem(env) === null && keySetUrl !== "" ? { keySetUrl, issuer, audience } : null;
}

/** Tells the operator, and not just a log, why no such token can be good; `null` when it is the token that is bad. */
export function tokenProblem(env: Env, token: string): HttpProblem | null {
  const fault = isJwt(token) ? jwtSettingsProblem(env) : adminKeyProblem(env);
  return fault === null ? null : misconfiguration(fault);
}

/** What is wrong with the bootstrap admin's key. */
export function adminKeyProblem({ ADMIN_KEY: key = "" }: Env): string | null {
  if (key === "") return "ADMIN_KEY is not set: wrangler secret put ADMIN_KEY";
  // A token with blanks cannot be sent.
  return /\s/.test(key) ? "ADMIN_KEY must hold no blanks" : null;
}

/** What is wrong with the settings for JWTs, if they are set at all. */
export function jwtSettingsProblem(env: Env): string | null {
  const given = [env.JWT_JWKS_URL, env.JWT_ISSUER, env.JWT_AUDIENCE].map((value) => value?.trim() ?? "");
  if (given.every((value) => value === "")) return null;
  if (given.includes("")) return "JWT_JWKS_URL, JWT_ISSUER and JWT_AUDIENCE must be set together";
  return given[0] && isHttpsOrLocal(given[0]) ? null : "JWT_JWKS_URL must begin with https://";
}

/** Keys that come over plain http could be anybody's; from this machine they are its owner's. */
function isHttpsOrLocal(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

/** What is not set up as it should be, for an operator to read. Tells no value. */
export function settingsProblems(env: Env): string[] {
  const origins = (env.ALLOWED_ORIGINS ?? "").split(",").map((one) => one.trim());
  const faults = [
    adminKeyProblem(env),
    jwtSettingsProblem(env),
    ["", "service"].includes(env.ANONYMOUS_ROLE ?? "") ? null : INVALID_ANONYMOUS_ROLE,
    canSeal(env) ? null : "ENCRYPTION_KEY is not set, or is not 32 bytes in base64: no endpoint can be given a token",
    isZone(env.TIME_ZONE) ? null : "TIME_ZONE is no IANA time zone",
    origins.every((one) => one === "" || isOrigin(one)) ? null : "ALLOWED_ORIGINS holds something that is no origin",
  ];
  return faults.filter((fault) => fault !== null);
}

const INVALID_ANONYMOUS_ROLE = "ANONYMOUS_ROLE can only be service";

/** Tells the operator that callers without a token cannot be given the role that is set; `null` when none is set. */
export const anonymousRoleProblem = ({ ANONYMOUS_ROLE: role = "" }: Env): HttpProblem | null =>
  ["", "service"].includes(role) ? null : misconfiguration(INVALID_ANONYMOUS_ROLE);
