/**
 * Checks the Worker's settings. A wrong setting closes the feature that it controls, never opens it, and the messages
 * here say why: in a 503 answer and in `/healthz?deep=1`. They never contain a value. No effects.
 */
import { isJwt } from "../../auth/jwt.ts";
import type { IdentityProvider } from "../../auth/jwt.ts";
import { canSeal } from "../../crypto/sealed-tokens.ts";
import { isZone } from "../../core/time.ts";
import { isOrigin } from "./cors.ts";
import type { HttpProblem } from "./problem.ts";

const misconfiguration = (message: string): HttpProblem => ({ reason: "misconfigured", message });

/** The identity provider that signs JWTs; `null` when it is not set, or not set correctly: then no JWT is valid. */
export function identityProviderOf(env: Env): IdentityProvider | null {
  const { JWT_JWKS_URL: keySetUrl = "", JWT_ISSUER: issuer = "", JWT_AUDIENCE: audience = "" } = env;
  return jwtSettingsProblem(env) === null && keySetUrl !== "" ? { keySetUrl, issuer, audience } : null;
}

/** The setting because of which no token of this kind can be valid; `null` when the token itself is invalid. */
export function tokenProblem(env: Env, token: string): HttpProblem | null {
  const message = isJwt(token) ? jwtSettingsProblem(env) : adminKeyProblem(env);
  return message === null ? null : misconfiguration(message);
}

/** What is wrong with `ADMIN_KEY`. */
export function adminKeyProblem({ ADMIN_KEY: key = "" }: Env): string | null {
  if (key === "") return "ADMIN_KEY is not set: wrangler secret put ADMIN_KEY";
  // A bearer token cannot contain blanks.
  return /\s/.test(key) ? "ADMIN_KEY must not contain blanks" : null;
}

/** What is wrong with the settings for JWTs. They may all be unset. */
export function jwtSettingsProblem(env: Env): string | null {
  const values = [env.JWT_JWKS_URL, env.JWT_ISSUER, env.JWT_AUDIENCE].map((value) => value?.trim() ?? "");
  if (values.every((value) => value === "")) return null;
  if (values.includes("")) return "JWT_JWKS_URL, JWT_ISSUER and JWT_AUDIENCE must be set together";
  return values[0] && isHttpsOrLocal(values[0]) ? null : "JWT_JWKS_URL must begin with https://";
}

/** Keys that come by plain http can be replaced on the way, except from the same machine. */
function isHttpsOrLocal(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

/** Everything that is wrong with the settings, for an operator. */
export function settingsProblems(env: Env): string[] {
  const origins = (env.ALLOWED_ORIGINS ?? "").split(",").map((entry) => entry.trim());
  const problems = [
    adminKeyProblem(env),
    jwtSettingsProblem(env),
    ["", "service"].includes(env.ANONYMOUS_ROLE ?? "") ? null : INVALID_ANONYMOUS_ROLE,
    canSeal(env)
      ? null
      : "ENCRYPTION_KEY is not set, or is not 32 bytes in base64: endpoints with a token cannot be created",
    isZone(env.TIME_ZONE) ? null : "TIME_ZONE is not an IANA time zone",
    origins.every((origin) => origin === "" || isOrigin(origin))
      ? null
      : "ALLOWED_ORIGINS contains something that is not an origin",
  ];
  return problems.filter((problem) => problem !== null);
}

const INVALID_ANONYMOUS_ROLE = "ANONYMOUS_ROLE can only be service";

/** The problem of a caller without a token when `ANONYMOUS_ROLE` has an invalid value; `null` when it is not set. */
export const anonymousRoleProblem = ({ ANONYMOUS_ROLE: role = "" }: Env): HttpProblem | null =>
  ["", "service"].includes(role) ? null : misconfiguration(INVALID_ANONYMOUS_ROLE);
