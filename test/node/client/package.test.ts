/** The package of the client, as somebody gets it who installs it: without zod, hono and the rest of the server. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makePackage } from "../../../src/dev/client-package/make-package.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

const root = new URL("../../../", import.meta.url).pathname;
const guide = readFileSync(`${root}src/docs/client.md`, "utf8");
const examples = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].flatMap(([, code = ""]) =>
  code.includes('"parley-client') ? [code] : [],
);

/** What each example of the guide prints. */
const PRINTED = [
  /\w+/,
  /echo_\S+ ok I feel adventurous today[^]*2 replies, median \d+ ms/,
  /^\d+$/m,
  /^admin$/m,
  /user: Hello/,
  /It is gone: 404 \S+/,
];

const folder = mkdtempSync(join(tmpdir(), "parley-client-"));
const tokens = createServer((_, response) => response.end(JSON.stringify({ token: server.key })));
let server: LocalServer;

beforeAll(async () => {
  for (const name of ["eventsource-parser", "@types/node", "undici-types"])
    cpSync(join(root, "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  makePackage(join(folder, "node_modules/parley-client"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  for (const [index, code] of examples.entries()) writeFileSync(exampleFile(index), PRELUDE + code);
  await new Promise<void>((resolve) => tokens.listen(0, "127.0.0.1", resolve));
  server = await startLocalServer();
}, 240_000);

afterAll(async () => {
  tokens.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const exampleFile = (index: number): string => join(folder, `example-${index}.ts`);

const PRELUDE = `const { PARLEY = "", KEY = "", SESSION = "", TOKEN_URL = "" } = process.env;\n`;

async function endedSession(): Promise<string> {
  const { parley } = server;
  const [chatbots, clients] = await Promise.all([parley.chatbots.list(), parley.clients.list()]);
  const owners = { chatbotId: chatbots.results[0]?.id ?? "", clientId: clients.results[0]?.id ?? "" };
  const { id } = await parley.sessions.create(owners);
  await parley.sessions.chat(id, { content: "Hello" });
  await parley.sessions.end(id);
  return id;
}

/** @returns what the TypeScript compiler has to say */
async function compile(options: object, include: string[], name: string): Promise<string> {
  const project = join(folder, name);
  writeFileSync(project, JSON.stringify({ compilerOptions: { strict: true, noEmit: true, ...options }, include }));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, "-p", project]).catch(
    (failure: { stdout: string }) => failure,
  );
  return stdout;
}

it("needs nothing but the parser of event streams", () => {
  const names = readdirSync(join(folder, "node_modules/parley-client"));
  const files = names.filter((name) => /\.(js|d\.ts)$/.test(name));
  const imported = files.flatMap((name) =>
    [
      ...readFileSync(join(folder, "node_modules/parley-client", name), "utf8").matchAll(
        /(?:(?<!")\bfrom |import\()"([^"]+)"/g,
      ),
    ].map(([, from = ""]) => from),
  );
  expect([...new Set(imported.filter((from) => !from.startsWith("./")))]).toEqual(["eventsource-parser"]);
  expect(imported.filter((from) => from.endsWith(".ts"))).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/parley-client/package.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ name: "parley-client", dependencies: { "eventsource-parser": expect.any(String) } });
});

it.each(["bundler", "nodenext"])("has types for strict programs (%s)", async (moduleResolution) => {
  const module = moduleResolution === "nodenext" ? "nodenext" : "esnext";
  const options = {
    module,
    moduleResolution,
    target: "es2023",
    lib: ["es2024", "dom", "dom.asynciterable"],
    types: ["node"],
  };
  expect(await compile(options, ["example-*.ts"], `tsconfig.${moduleResolution}.json`)).toBe("");
});

it("has the same types as the source", async () => {
  const names = (block: string, text = readFileSync(`${root}src/client/types.ts`, "utf8")) =>
    [...text.matchAll(new RegExp(`export type (\\w+) = ${block}<`, "g"))].map(([, name = ""]) => name);
  const outputs = names("Output").map((name) => `same<source.${name}, packed.${name}>(true);`);
  const inputs = names("Input").map((name) => `fits<packed.${name}, source.${name}>(true);`);
  expect(outputs.length).toBeGreaterThan(25);
  expect(inputs.length).toBeGreaterThan(25);
  mkdirSync(join(folder, "same"));
  writeFileSync(
    join(folder, "same/same.ts"),
    [
      `import type * as source from "${root}src/client/types.ts";`,
      'import type * as packed from "parley-client";',
      "declare function same<A, B>(is: [A] extends [B] ? ([B] extends [A] ? true : false) : false): void;",
      "declare function fits<A, B>(does: [A] extends [B] ? true : false): void;",
      ...outputs,
      ...inputs,
    ].join("\n"),
  );
  const options = {
    module: "esnext",
    moduleResolution: "bundler",
    target: "es2024",
    lib: ["es2024", "esnext.iterator"],
    types: ["node", `${root}node_modules/@cloudflare/workers-types`],
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  };
  expect(await compile(options, ["same", `${root}src/env.d.ts`, `${root}src/secrets.d.ts`], "tsconfig.same.json")).toBe(
    "",
  );
});

it.each(examples.map((code, index) => [/\.(\w+)\(/.exec(code)?.[1] ?? "", index] as const))(
  "runs the examples of the guide in plain Node: %s",
  async (_, index) => {
    const { port } = tokens.address() as AddressInfo;
    const given = {
      PARLEY: server.address,
      KEY: server.key,
      SESSION: await endedSession(),
      TOKEN_URL: `http://127.0.0.1:${port}`,
    };
    const options = { cwd: folder, env: { ...process.env, ...given, NODE_OPTIONS: "--no-warnings" } };
    const { stdout } = await promisify(execFile)(process.execPath, [exampleFile(index)], options);
    expect(PRINTED).toHaveLength(examples.length);
    expect(stdout).toMatch(PRINTED[index] ?? /nothing/);
  },
);
