/**
 * Starts one browser for all tests in `test/browser`, before they run. Runs in Node; a test gets a page of it by `browser-test.node.ts`.
 *
 * It is the browser of `CHROMIUM_PATH`, or the one that `npm install` brings, or the machine's. Where none starts, the tests
 * are skipped and the output says so. In CI that is a failure: nobody reads the output of a run that passed.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { inflate } from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import type { LaunchOptions } from "playwright-core";
import type { TestProject } from "vitest/node";

const NODE_MODULES = new URL("../../node_modules/", import.meta.url).pathname;

const MACHINE_BROWSERS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const HOW_TO_GET_ONE =
  "Install Chrome or Chromium, or set CHROMIUM_PATH to the program of one that is installed elsewhere, then:\n" +
  "npm run test:run -- --project browser";

export default async function startBrowser(project: TestProject): Promise<() => Promise<void>> {
  const failures: string[] = [];
  for (const { name, options } of candidates()) {
    try {
      const server = await chromium.launchServer(await options());
      project.provide("browser", server.wsEndpoint());
      return () => server.close();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`);
    }
  }
  const message = `NO BROWSER STARTED, SO THE TESTS IN test/browser DID NOT RUN.\n${failures.join("\n")}\n${HOW_TO_GET_ONE}`;
  if (process.env["CI"]) throw new Error(message);
  console.error(`\n${message}\n`);
  project.provide("browser", "");
  return () => Promise.resolve();
}

interface Candidate {
  name: string;
  options: () => Promise<LaunchOptions>;
}

/** The browsers to try, in order. */
function candidates(): Candidate[] {
  const chosen = process.env["CHROMIUM_PATH"];
  const installed = (path: string): Candidate => ({ name: path, options: async () => ({ executablePath: path }) });
  // Whoever names a browser wants that one or none.
  if (chosen) return [installed(chosen)];
  const fromNpm = { name: "@sparticuz/chromium", options: npmBrowser };
  // The package has a program for this platform only.
  const runsHere = process.platform === "linux" && process.arch === "x64";
  return [...(runsHere ? [fromNpm] : []), ...MACHINE_BROWSERS.filter((path) => existsSync(path)).map(installed)];
}

/** Unpacks the browser that npm brought, once for each version, with the libraries and fonts that a machine may not have. */
async function npmBrowser(): Promise<LaunchOptions> {
  const packed = join(NODE_MODULES, "@sparticuz/chromium");
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string };
  const folder = join(NODE_MODULES, ".cache", `chromium-${version}`);
  if (!existsSync(folder)) await unpack(join(packed, "bin"), folder);
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, "al2023/lib"), FONTCONFIG_FILE: fontSettings(folder) };
  return { executablePath: join(folder, "chromium"), env };
}

/** The package unpacks into the folder for temporary files only. A run beside this one must not find half a browser. */
async function unpack(packed: string, folder: string): Promise<void> {
  const beside = join(folder, "..");
  mkdirSync(beside, { recursive: true });
  const unfinished = mkdtempSync(join(beside, "unfinished-"));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = unfinished;
  const unpacked = readdirSync(packed).map((file) => inflate(join(packed, file)));
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  await Promise.all(unpacked);
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
}

/** Names the machine's fonts, and those of the package for machines that have none. Its own settings name a folder elsewhere. */
function fontSettings(folder: string): string {
  const folders = ["/usr/share/fonts", join(folder, "fonts")].map((path) => `<dir>${path}</dir>`);
  const file = join(folder, "fonts.conf");
  const cache = `<cachedir>${join(folder, "fonts-cache")}</cachedir>`;
  writeFileSync(file, `<?xml version="1.0"?>\n<fontconfig>${folders.join("")}${cache}</fontconfig>\n`);
  return file;
}
