/** Whether `ALLOW_PRIVATE_ENDPOINTS` is on: it is off when unset, empty, `0` or `false`. */
export const allowsPrivateUrls = (setting: string | undefined): boolean =>
  !["", "0", "false"].includes((setting ?? "").trim().toLowerCase());

/**
 * Names that are never public: RFC 6761 (localhost, test, invalid), 6762 (local, and in its appendix G what home networks
 * use), 7686 (onion), 8375 (home.arpa), and internal, which ICANN keeps for private use.
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

/** Public names that are made to resolve to private addresses: to one that stands in the name, or to the loopback. */
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

/** At least two labels, in ASCII as a parsed address has them, within the lengths of RFC 1035; the last begins with a letter. */
const PUBLIC_NAME = /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/;

/**
 * What is wrong with an address that the program is to call, or `null`. It must be https at a public name: no address
 * literal in any spelling, no name of this machine or of a local network, and no credentials. The parser of the WHATWG
 * has brought every spelling to one before the rules look: numbers of any base and length to four decimals, percent-encoded
 * and full-width characters to ASCII, capitals to small letters (https://url.spec.whatwg.org/#host-parsing). What a public
 * name resolves to cannot be seen from here.
 *
 * @param allowPrivateUrls lets http and every host pass, for local runs
 */
export function urlProblem(address: string, allowPrivateUrls: boolean): string | null {
  const schemes = allowPrivateUrls ? ["https:", "http:"] : ["https:"];
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !schemes.includes(url.protocol)) {
    return `must be an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`;
  }
  if (url.username !== "" || url.password !== "") return "must not hold credentials";
  return allowPrivateUrls ? null : hostProblem(url.hostname);
}

function hostProblem(hostname: string): string | null {
  // One dot at the end makes a name absolute, and no other name.
  const name = hostname.replace(/\.$/, "");
  if (name.startsWith("[") || /^[\d.]+$/.test(name)) return "must have a name for its host, no address";
  const isSameOrSubdomain = (domain: string) => name === domain || name.endsWith(`.${domain}`);
  if (PRIVATE_SUFFIXES.some(isSameOrSubdomain) || !PUBLIC_NAME.test(name))
    return "must have a public name for its host";
  return PRIVATE_DNS_SUFFIXES.some(isSameOrSubdomain) ? "must not have a name made for private addresses" : null;
}
