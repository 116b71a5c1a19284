/**
 * A local start: `npm start` or `wrangler dev`, which set the variable `LOCAL`, and secrets that everybody knows. A
 * deployment has neither. What else a local start sets is in `dev/`. Pure.
 */
import { splitCommaList } from "./comma-list.ts";

/** Secrets of a local start. They are public, so they protect nothing. */
export const LOCAL_SECRETS = {
  ADMIN_KEY: "parley-dev",
  // 32 bytes in base64.
  ENCRYPTION_KEY: "cGFybGV5IHNlYWxzIGxvY2FsIHRva2VucyBvbmx5ISE=",
} as const;

/** The header in which the proxy of `npm start` sends the secret that the Worker knows as `LOCAL_PROXY_SECRET`. */
export const LOCAL_PROXY_HEADER = "parley-local-proxy";

const LOOPBACK_HOST = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export const isLocalStart = ({ LOCAL }: { LOCAL?: string }): boolean => LOCAL === "true";

/** Whether a local start may be called by a host name, as a URL has it: by loopback names, and those in `ALLOWED_HOSTS`. */
export function isAllowedHost(host: string, { ALLOWED_HOSTS }: { ALLOWED_HOSTS?: string }): boolean {
  const allowed = splitCommaList(ALLOWED_HOSTS);
  return LOOPBACK_HOST.test(host) || allowed.includes(host) || allowed.includes("*");
}
