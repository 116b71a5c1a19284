/**
 * Headers that keep a browser from running or framing an answer.
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
import type { MiddlewareHandler } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";

/** These headers concern pages with scripts, frames or cookies, and this Worker has none. */
const DISABLED = {
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const;

const strictTransportSecurity = "max-age=31536000";
const DENY_ALL = { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] };

/** Every header makes each answer longer, so JSON gets only the few that matter for it. */
const apiHeaders = secureHeaders({
  ...DISABLED,
  strictTransportSecurity,
  referrerPolicy: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
});

/** The page `/docs` has an inline style and no script. */
const pageHeaders = secureHeaders({
  ...DISABLED,
  strictTransportSecurity,
  referrerPolicy: "no-referrer",
  contentSecurityPolicy: { ...DENY_ALL, styleSrc: [NONCE] },
});

export const setSecureHeaders: MiddlewareHandler = (c, next) =>
  c.req.path.startsWith("/docs") ? pageHeaders(c, next) : apiHeaders(c, next);
