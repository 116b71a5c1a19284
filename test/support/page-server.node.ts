/** Builds a page from the text of a module, as an application's own build would, and serves it on loopback. Runs in Node. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "vite";
import type { Plugin } from "vite";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The module has no file. Its place decides where its packages are found. */
const ENTRY = `${ROOT}test/browser/page.tsx`;

const HTML = '<!doctype html><title>Test</title><div id="root"></div><script type="module" src="/page.js"></script>';

export interface PageServer {
  /** Scheme, host and port. */
  origin: string;
  /** Replaces the page's module. The first one is empty. */
  show: (module: string) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startPageServer(): Promise<PageServer> {
  let script = "";
  const server = createServer(({ url = "" }, answer) => {
    const isScript = url.startsWith("/page.js");
    answer.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    answer.end(isScript ? script : HTML);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    show: async (module) => {
      script = await bundle(module);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bundle(module: string): Promise<string> {
  const entry: Plugin = {
    name: "entry",
    resolveId: (id) => (id === ENTRY ? id : null),
    load: (id) => (id === ENTRY ? module : null),
  };
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    plugins: [entry],
    build: { write: false, rolldownOptions: { input: ENTRY, output: { codeSplitting: false } } },
  });
  const outputs = [built].flat().flatMap((result) => ("output" in result ? result.output : []));
  return outputs.map((part) => (part.type === "chunk" ? part.code : "")).join("\n");
}
