/** Which addresses a Worker may call, also for addresses that are written to deceive. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { urlProblem, allowsPrivateUrls } from "../../../src/net/url-guard.ts";

/** Ways to write one part of an IPv4 address. */
const spellings = [
  (part: number) => String(part),
  (part: number) => `0x${part.toString(16)}`,
  (part: number) => `0X${part.toString(16).toUpperCase()}`,
  (part: number) => `0x000${part.toString(16)}`,
  (part: number) => `0${part.toString(8)}`,
  (part: number) => `000${part.toString(8)}`,
];

/** Ways to disguise a host. */
const disguises = [
  (host: string) => host,
  (host: string) => `${host}.`,
  (host: string) => host.replaceAll(".", "%2e"),
  (host: string) => host.replaceAll(".", "%2E"),
  (host: string) => host.replaceAll(".", "。"),
  (host: string) => host.replaceAll(".", "．"),
  (host: string) => host.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (host: string) => host.replace(/\d/g, (digit) => String.fromCodePoint(0x2460 + Number(digit) - 1)),
  (host: string) => host.replace(/\d/g, (digit) => `%3${digit}`),
  (host: string) => host.replace(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
];

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

/** IPv4 addresses in one to four parts, each part written in its own way. The last part takes the remaining bytes. */
const spelledIpv4 = fc
  .tuple(ipv4, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(spellings.length - 1), { minLength: 4, maxLength: 4 }))
  .map(([bytes, parts, chosen]) => {
    const rest = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0);
    return [...bytes.slice(0, parts - 1), rest].map((part, n) => spellings[chosen[n] ?? 0]?.(part)).join(".");
  });

/** Ways to write an IPv4 address within an IPv6 address, and other IPv6 addresses. */
const asIpv6 = fc.tuple(ipv4, fc.nat(7)).map(([[a, b, c, d], way]) => {
  const hex = [a * 256 + b, c * 256 + d].map((group) => group.toString(16));
  return [
    `[::ffff:${a}.${b}.${c}.${d}]`,
    `[::ffff:${hex.join(":")}]`,
    `[::${hex.join(":")}]`,
    `[64:ff9b::${a}.${b}.${c}.${d}]`,
    `[2002:${hex.join(":")}::]`,
    `[fe80::${hex.join(":")}%25eth0]`,
    `[fd00::${hex.join(":")}]`,
    `[2606:4700:${hex.join(":")}::1111]`,
  ][way];
});

const ports = fc.constantFrom("", ":443", ":8443", ":80");
const paths = fc.constantFrom("", "/", "/v1", "/v1/@cf/model", "\\v1");
const schemes = fc.constantFrom("https://", "HTTPS://", "https:", "https:/", "https:\\\\", " https://", "ht\ttps://");

describe("a deployed Worker calls no IP address", () => {
  it("of IPv4, however it is written or disguised", () => {
    const disguised = fc.tuple(spelledIpv4, fc.nat(disguises.length - 1));
    fc.assert(
      fc.property(schemes, disguised, ports, paths, (scheme, [host, disguise], port, path) => {
        expect(urlProblem(`${scheme}${disguises[disguise]?.(host)}${port}${path}`, false)).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it("of IPv6: mapped, embedded, translated, local or public", () => {
    fc.assert(
      fc.property(schemes, asIpv6, ports, paths, (scheme, host, port, path) => {
        expect(urlProblem(`${scheme}${host}${port}${path}`, false)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it("in any other form: an allowed host has a letter in its last label", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["https"], withQueryParameters: true }), fc.string(), (address, tail) => {
        const spelled = address + tail;
        if (urlProblem(spelled, false) !== null) return;
        const { hostname } = new URL(spelled);
        expect(hostname).toMatch(/\.[a-z][a-z0-9-]*\.?$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a deployed Worker does not call", () => {
  it.each([
    "http://api.example.com",
    "ftp://api.example.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "//api.example.com",
    "api.example.com",
    "",
    "https://",
    "https://user:pass@api.example.com",
    "https://user@api.example.com",
    "https://:pass@api.example.com",
    "https://localhost",
    "https://LOCALHOST:11434",
    "https://localhost.",
    "https://ｌocalhost",
    "https://%6cocalhost",
    "https://a.localhost",
    "https://localhost.localdomain",
    "https://printer.local",
    "https://printer.LOCAL.",
    "https://metadata.google.internal",
    "https://router.home.arpa",
    "https://nas.lan",
    "https://intranet",
    "https://intranet.corp",
    "https://ollama",
    "https://ollama.",
    "https://10.0.0.1.nip.io",
    "https://10-0-0-1.sslip.io",
    "https://localtest.me",
    "https://app.lvh.me",
    "https://api..example.com",
    "https://api.example.com..",
    "https://.example.com",
    "https://1.2.3.4.5",
    "https://256.256.256.256",
    "https://0",
    "https://0x",
    "https://127.1",
    "https://100.64.0.1",
    "https://169.254.169.254",
    "https://[::1]",
    "https://[::]",
    "https://[fe80::1%25eth0]",
    "https://127.0.0.1\\@example.com",
    "https://exa mple.com",
  ])("%s", (address) => {
    expect(urlProblem(address, false)).not.toBeNull();
  });
});

it.each([
  "https://api.openai.com/v1",
  "https://API.EXAMPLE.COM",
  "https://api.example.com./v1",
  "https://api.example.com:8443/v1",
  "https://my-resource.openai.azure.com/openai?api-version=2024-10-21",
  "https://münchen.example",
  "https://local.example.com",
  "https://localhost.example.com",
  "https://mylocal.io",
  "https://1.example.com",
  "https://api.cloudflare.com/client/v4/accounts/x/ai/v1/@cf/model",
])("a deployed Worker calls %s", (address) => {
  expect(urlProblem(address, false)).toBeNull();
});

it.each(["http://localhost:11434/v1", "http://127.0.0.1:8080", "https://[::1]/v1", "http://ollama", "https://nas.lan"])(
  "a local Worker also calls %s",
  (address) => {
    expect(urlProblem(address, true)).toBeNull();
  },
);

it.each(["http://user:pass@localhost", "ftp://localhost", "localhost:11434", "nothing"])(
  "no Worker calls %s",
  (address) => {
    expect(urlProblem(address, true)).not.toBeNull();
  },
);

it.each([
  [undefined, false],
  ["", false],
  ["0", false],
  ["false", false],
  ["False", false],
  [" ", false],
  ["1", true],
  ["true", true],
])("ALLOW_PRIVATE_ENDPOINTS of %j allows private addresses: %s", (setting, allowed) => {
  expect(allowsPrivateUrls(setting)).toBe(allowed);
});
