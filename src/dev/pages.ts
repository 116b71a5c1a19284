/**
 * Builds the pages and scripts for browsers, with Vite, in memory. What is built is listed here, with the headers of each; what
 * a page shows is in its own folder. Reads the disk, and writes nothing.
 */
import { join } from "node:path";
import type { Rolldown } from "vite";
import { build } from "vite";
import { ROOT } from "./settings.ts";

/** Files by their path below the assets. */
export type Files = Record<string, string | Uint8Array>;

/** Files whose names have a hash of their content. */
const HASHED = "static";

/** What the pages of the documentation load. They are made from the guides, so Vite has no HTML file of them. */
const DOCUMENTATION = "docs/site/browser/main.ts";

/** The pages: an entry is an HTML file in `src`, and `/console` is the address of `console/index.html`. */
const PAGES: readonly string[] = ["console/index.html"];

/**
 * What a page may load: from this host, and nothing written into the page itself. Markdown becomes HTML in DOMPurify only.
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types dompurify",
].join("; ");

/** Every asset. `Cross-Origin-Resource-Policy` keeps other sites from embedding it: an asset that they may embed detaches it. */
const COMMON_HEADERS = [
  "Cross-Origin-Resource-Policy: same-origin",
  "Strict-Transport-Security: max-age=31536000",
  "X-Content-Type-Options: nosniff",
];

const PAGE_HEADERS = [
  `Content-Security-Policy: ${POLICY}`,
  "Cache-Control: no-cache",
  "Cross-Origin-Opener-Policy: same-origin",
  "Permissions-Policy: camera=(), geolocation=(), microphone=()",
  "Referrer-Policy: no-referrer",
];

/** The chat that other sites put on their pages: one script, whose name does not change. */
const WIDGET = "widget.js";

/** Sites load it with every page, so it comes from the cache of the browser, and is new within an hour. */
const WIDGET_HEADERS = [
  "! Cross-Origin-Resource-Policy",
  "Cross-Origin-Resource-Policy: cross-origin",
  "Cache-Control: public, max-age=3600",
];

interface BuiltPages {
  /** The pages and what they load, with the file of their headers. */
  files: Files;
  /** Addresses of what the pages of the documentation load. */
  documentation: { script: string; style: string };
}

export async function buildPages(): Promise<BuiltPages> {
  const [output, widget] = await Promise.all([
    buildFor({ input: [...PAGES, DOCUMENTATION].map((path) => join(ROOT, "src", path)) }),
    buildFor({ input: join(ROOT, "src/widget/main.ts"), output: { format: "iife", entryFileNames: WIDGET } }),
  ]);
  const files = { ...filesOf(output), ...filesOf(widget), _headers: headersFile() };
  return { files, documentation: documentationIn(output) };
}

async function buildFor(rolldownOptions: Rolldown.RolldownOptions): Promise<Rolldown.RolldownOutput> {
  const built = await build({
    configFile: false,
    root: join(ROOT, "src"),
    publicDir: false,
    logLevel: "warn",
    build: {
      write: false,
      target: "es2022",
      assetsDir: HASHED,
      assetsInlineLimit: 0,
      // A browser that cannot preload modules loads them all the same.
      modulePreload: { polyfill: false },
      rolldownOptions,
    },
  });
  return built as Rolldown.RolldownOutput;
}

function documentationIn({ output }: Rolldown.RolldownOutput): BuiltPages["documentation"] {
  const entry = output.find((file) => file.type === "chunk" && file.facadeModuleId?.endsWith(DOCUMENTATION));
  const style = output.find(
    (file) => file.type === "asset" && file.originalFileNames.some((name) => name === DOCUMENTATION),
  );
  if (!entry || !style) throw new Error(`Vite built no script or no style of ${DOCUMENTATION}`);
  return { script: `/${entry.fileName}`, style: `/${style.fileName}` };
}

const filesOf = ({ output }: Rolldown.RolldownOutput): Files =>
  Object.fromEntries(output.map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source]));

/** https://developers.cloudflare.com/workers/static-assets/headers/ */
function headersFile(): string {
  const rules: [path: string, headers: string[]][] = [
    ["/*", COMMON_HEADERS],
    [`/${HASHED}/*`, ["Cache-Control: public, max-age=31536000, immutable"]],
    [`/${WIDGET}`, WIDGET_HEADERS],
    ...PAGES.map((page): [string, string[]] => [`/${page.replace(/\/index\.html$/, "")}`, PAGE_HEADERS]),
    ["/docs", PAGE_HEADERS],
    ["/docs/*", PAGE_HEADERS],
  ];
  return rules.map(([path, headers]) => [path, ...headers.map((header) => `  ${header}`), ""].join("\n")).join("\n");
}
