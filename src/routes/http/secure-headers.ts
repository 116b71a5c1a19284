import type { MiddlewareHandler } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";

/** What is off says something of pages with scripts, frames or cookies, and there are none here. */
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

/** Every head costs each answer, so these are few: what matters of an answer that is no page. */
const apiHeaders = secureHeaders({
  ...DISABLED,
  strictTransportSecurity,
  referrerPolicy: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
});

/** The one page has a style of its own, and no script. */
const pageHeaders = secureHeaders({
  ...DISABLED,
  strictTransportSecurity,
  referrerPolicy: "no-referrer",
  contentSecurityPolicy: { ...DENY_ALL, styleSrc: [NONCE] },
});

/**
 * Heads that keep a browser from doing more with an answer than to show it.
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
export const setSecureHeaders: MiddlewareHandler = (c, next) =>
  c.req.path.startsWith("/docs") ? pageHeaders(c, next) : apiHeaders(c, next);
