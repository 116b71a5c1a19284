/**
 * Headers that keep a browser from running, framing, keeping or embedding an answer. `Cross-Origin-Resource-Policy` does
 * not concern a page that calls by CORS: https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
import type { MiddlewareHandler } from "hono";

/** Every header makes each answer longer, so JSON gets only the few that matter for it. Pages have more: `src/dev/pages.ts`. */
const HEADERS: readonly [name: string, value: string][] = [
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["strict-transport-security", "max-age=31536000"],
  ["x-content-type-options", "nosniff"],
];

/** Everything else is private, or changes with each call. */
const isPublic = (path: string): boolean => path.startsWith("/openapi.json");

export const setSecureHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  // The headers of a 101 cannot be changed.
  if (c.res.status === 101) return;
  const { path } = c.req;
  const { headers } = c.res;
  for (const [name, value] of HEADERS) headers.set(name, value);
  // An event stream has a `cache-control` of its own.
  if (!isPublic(path) && !headers.has("cache-control")) headers.set("cache-control", "no-store");
};
