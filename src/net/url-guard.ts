/**
 * URL guard: decides which URLs the program may call, so that an endpoint cannot reach the operator's network. Checks
 * the URL only: a Worker cannot see which address a public name resolves to. Pure.
 */

/** Whether `ALLOW_PRIVATE_ENDPOINTS` is on. Unset, empty, `0` and `false` mean off. */
export const allowsPrivateUrls = (setting: string | undefined): boolean =>
  !["", "0", "false"].includes((setting ?? "").trim().toLowerCase());

/**
 * Domains that are never public: RFC 6761 (localhost, test, invalid), RFC 6762 (local, and the names of home networks
 * in its appendix G), RFC 7686 (onion), RFC 8375 (home.arpa), and internal, which ICANN reserves for private use.
 */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "test",
  "invalid",
  "onion",
];

/** Public domains that resolve to private addresses: an address within the name, or the loopback address. */
const PRIVATE_DNS_SUFFIXES = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "traefik.me",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
  "localho.st",
  "local.gd",
];

/**
 * At least two labels, in ASCII as in a parsed URL, within the lengths of RFC 1035. The last label begins with a
 * letter.
 */
const PUBLIC_NAME = /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/;

/**
 * Checks a URL that the program is about to call. It must be https with a public name: no IP address in any spelling,
 * no name of this machine or of a local network, and no credentials. The WHATWG parser has already normalized the host:
 * numbers of any base and length become four decimals, percent-encoded and full-width characters become ASCII, capitals
 * become lower case (https://url.spec.whatwg.org/#host-parsing).
 *
 * @param allowPrivateUrls allows http and every host, for local runs
 * @returns the problem, to be read after "The URL …"; `null` if the URL is allowed
 */
export function urlProblem(address: string, allowPrivateUrls: boolean): string | null {
  const schemes = allowPrivateUrls ? ["https:", "http:"] : ["https:"];
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !schemes.includes(url.protocol)) {
    return `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`;
  }
  if (url.username !== "" || url.password !== "") return "must not contain credentials";
  return allowPrivateUrls ? null : hostProblem(url.hostname);
}

function hostProblem(hostname: string): string | null {
  // A trailing dot makes a name absolute and does not change it.
  const name = hostname.replace(/\.$/, "");
  if (name.startsWith("[") || /^[\d.]+$/.test(name)) return "must have a host name, not an IP address";
  const isSameOrSubdomain = (domain: string) => name === domain || name.endsWith(`.${domain}`);
  if (PRIVATE_SUFFIXES.some(isSameOrSubdomain) || !PUBLIC_NAME.test(name)) return "must have a public host name";
  return PRIVATE_DNS_SUFFIXES.some(isSameOrSubdomain)
    ? "must not have a host name that resolves to a private address"
    : null;
}
