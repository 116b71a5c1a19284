/**
 * Checks the Worker's settings. A wrong setting closes the feature that it controls, never opens it, and the messages
 * here say why: in a 503 answer and in `/healthz?deep=1`. They never contain a value. No effects.
 */
import { isJwt } from "../../auth/jwt.ts";
import type { IdentityProvider } from "../../auth/jwt.ts";
import { canSeal } from "../../crypto/sealed-tokens.ts";
import { splitCommaList } from "../../core/comma-list.ts";
import { isLocalStart, LOCAL_SECRETS } from "../../core/local-start.ts";
import { isZone } from "../../core/time.ts";
import { allowsPrivateUrls, urlProblem } from "../../net/url-guard.ts";
import { archiveAfterDays } from "../../store/archive/bucket.ts";
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

/** The shortest admin key of a deployment, in characters: 128 bits in hex. */
const MIN_ADMIN_KEY_CHARACTERS = 32;

/** What is wrong with `ADMIN_KEY`. */
export function adminKeyProblem(env: Env): string | null {
  const { ADMIN_KEY: key = "" } = env;
  if (key === "") return "ADMIN_KEY is not set: wrangler secret put ADMIN_KEY";
  // A bearer token cannot contain blanks.
  if (/\s/.test(key)) return "ADMIN_KEY must not contain blanks";
  return key.length >= MIN_ADMIN_KEY_CHARACTERS || isLocalStart(env)
    ? null
    : `ADMIN_KEY is shorter than ${MIN_ADMIN_KEY_CHARACTERS} characters, so it is refused: openssl rand -hex 32`;
}

/** The admin key; `undefined` when it is not set, or refused. */
export const adminKeyOf = (env: Env): string | undefined => (adminKeyProblem(env) === null ? env.ADMIN_KEY : undefined);

/** What is wrong with `ENCRYPTION_KEY`. */
function encryptionKeyProblem(env: Env): string | null {
  if (canSeal(env)) return null;
  return env.ENCRYPTION_KEY?.trim() === LOCAL_SECRETS.ENCRYPTION_KEY
    ? "ENCRYPTION_KEY is the one of local starts, which everybody knows, so nothing is encrypted with it: endpoints with a token cannot be created"
    : "ENCRYPTION_KEY is not set, or is not 32 bytes in base64: endpoints with a token cannot be created";
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
  const problems = [
    adminKeyProblem(env),
    jwtSettingsProblem(env),
    hasInvalidAnonymousRole(env) ? INVALID_ANONYMOUS_ROLE : null,
    encryptionKeyProblem(env),
    isZone(env.TIME_ZONE) ? null : "TIME_ZONE is not an IANA time zone",
    splitCommaList(env.ALLOWED_ORIGINS).every(isOrigin)
      ? null
      : "ALLOWED_ORIGINS contains something that is not an origin",
    callbackProblem(env),
    archiveAfterDays(env) === null ? "ARCHIVE_AFTER_DAYS is not a number of days, so nothing is archived" : null,
  ];
  return problems.filter((problem) => problem !== null);
}

/** What is wrong with `MOONSHOT_CALLBACK_URL`. It may be unset. */
function callbackProblem({ MOONSHOT_CALLBACK_URL: url = "", ALLOW_PRIVATE_ENDPOINTS: allowed }: Env): string | null {
  const problem = url === "" ? null : urlProblem(url, allowsPrivateUrls(allowed));
  return problem === null ? null : `MOONSHOT_CALLBACK_URL ${problem}, so nobody is called back`;
}

const INVALID_ANONYMOUS_ROLE = "ANONYMOUS_ROLE can only be service";

/** The role of callers without a token: `service`, or `admin` on a local start. `null` when they have none. */
export function anonymousRoleOf(env: Env): "service" | "admin" | null {
  const { ANONYMOUS_ROLE: role } = env;
  return role === "service" || (role === "admin" && isLocalStart(env)) ? role : null;
}

const hasInvalidAnonymousRole = (env: Env): boolean =>
  (env.ANONYMOUS_ROLE ?? "") !== "" && anonymousRoleOf(env) === null;

/** The problem of a caller without a token when `ANONYMOUS_ROLE` has an invalid value; `null` when it is not set. */
export const anonymousRoleProblem = (env: Env): HttpProblem | null =>
  hasInvalidAnonymousRole(env) ? misconfiguration(INVALID_ANONYMOUS_ROLE) : null;
