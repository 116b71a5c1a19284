/**
 * Headers that keep a browser from running, framing, keeping or embedding an answer. `Cross-Origin-Resource-Policy` does
 * not concern a page that calls by CORS: https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
import type { MiddlewareHandler } from "hono";
import { NONCE, secureHeaders } from "hono/secure-headers";

/** These headers concern pages with scripts, frames or cookies, and this Worker has none. */
const DISABLED = {
  crossOriginOpenerPolicy: false,
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

/** Everything else is private, or changes with each call. */
const isPublic = (path: string): boolean => path.startsWith("/docs") || path.startsWith("/openapi.json");

export const setSecureHeaders: MiddlewareHandler = async (c, next) => {
  const { path } = c.req;
  await (path.startsWith("/docs") ? pageHeaders(c, next) : apiHeaders(c, next));
  // An event stream has a `cache-control` of its own. The headers of a 101 cannot be changed.
  if (!isPublic(path) && c.res.status !== 101 && !c.res.headers.has("cache-control"))
    c.header("cache-control", "no-store");
};
