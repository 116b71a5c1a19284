/**
 * Headers that keep a browser from running, framing, keeping or embedding an answer. `Cross-Origin-Resource-Policy` does
 * not concern a page that calls by CORS: https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
import type { MiddlewareHandler } from "hono";

/** Every header makes each answer longer, so JSON gets only the few that matter for it. */
const COMMON: [name: string, value: string][] = [
  ["cross-origin-resource-policy", "same-origin"],
  ["strict-transport-security", "max-age=31536000"],
  ["x-content-type-options", "nosniff"],
];

const API: typeof COMMON = [...COMMON, ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"]];

/** The hash of the one style of `/docs`, which has no script. */
const STYLE_HASH = "sha256-6tGx3A18XzxGfd5oHhY2gICmPYlBsguSjpVjkd8U5ow=";

const PAGE: typeof COMMON = [
  ...COMMON,
  ["referrer-policy", "no-referrer"],
  [
    "content-security-policy",
    `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src '${STYLE_HASH}'`,
  ],
];

/** Everything else is private, or changes with each call. */
const isPublic = (path: string): boolean => path.startsWith("/docs") || path.startsWith("/openapi.json");

export const setSecureHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  // The headers of a 101 cannot be changed.
  if (c.res.status === 101) return;
  const { path } = c.req;
  const { headers } = c.res;
  for (const [name, value] of path.startsWith("/docs") ? PAGE : API) headers.set(name, value);
  // An event stream has a `cache-control` of its own.
  if (!isPublic(path) && !headers.has("cache-control")) headers.set("cache-control", "no-store");
};
