/**
 * The OpenAPI document as `openapi-fetch` reads it: types of the whole document, a strict program that uses them, and the
 * example of the guide against a started server. The types are written here as `openapi-typescript` writes them, which needs a
 * compiler of its own.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiDocument } from "../../../src/api-docs.ts";
import { typeText } from "../../../src/dev/client-package/write-types.ts";
import type { JsonSchema } from "../../../src/dev/client-package/write-types.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

type Content = Record<string, { schema?: JsonSchema }>;

interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: JsonSchema }[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content; "x-event-stream"?: unknown }>;
}

const document = JSON.parse(JSON.stringify(apiDocument).replaceAll("#/components/schemas/", "#/$defs/")) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
};

const typeOf = (schema: JsonSchema): string => typeText(schema, (id) => id);

const record = (entries: readonly (readonly [name: string, type: string])[]): string =>
  `{ ${entries.map(([name, type]) => `${name}: ${type};`).join(" ")} }`;

const contentType = (content: Content): string =>
  record(Object.entries(content).map(([name, { schema = {} }]) => [JSON.stringify(name), typeOf(schema)]));

function parametersType(parameters: Operation["parameters"]): string {
  const places = ["query", "header", "path"].map((place) => {
    const some = parameters.filter((parameter) => parameter.in === place);
    const needed = some.some(({ required }) => required) ? "" : "?";
    const fields = some.map(
      ({ name, required, schema }) => [JSON.stringify(name) + (required ? "" : "?"), typeOf(schema)] as const,
    );
    return [place + needed, some.length > 0 ? record(fields) : "never"] as const;
  });
  return record(places);
}

const operationType = ({ parameters, requestBody, responses }: Operation): string =>
  record([
    ["parameters", parametersType(parameters)],
    requestBody ? ["requestBody", `{ content: ${contentType(requestBody.content)} }`] : ["requestBody?", "never"],
    [
      "responses",
      record(
        Object.entries(responses).map(([status, { content }]) => [
          status,
          `{ headers: { [name: string]: unknown }; content${content ? `: ${contentType(content)}` : "?: never"} }`,
        ]),
      ),
    ],
  ]);

function pathsModule(): string {
  const schemas = Object.entries(document.components.schemas).map(([id, one]) => `export type ${id} = ${typeOf(one)};`);
  const paths = Object.entries(document.paths).map(([path, operations]) => {
    const methods = Object.entries(operations).map(([method, one]) => [method, operationType(one)] as const);
    return [JSON.stringify(path), record(methods)] as const;
  });
  return [...schemas, `export interface paths ${record(paths)}`, ""].join("\n");
}

const jsonOf = ({ content }: Operation["responses"][string]): string =>
  typeOf(content?.["application/json"]?.schema ?? {});

/** The operations that answer JSON, or a stream in its place: the call, and the type of its JSON. */
const eitherWay = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations)
    .filter(
      ([, { responses }]) => responses["200"]?.["x-event-stream"] && responses["200"].content?.["application/json"],
    )
    .map(([method, { responses, requestBody }]) => {
      const body = requestBody ? ", body: {} as never" : "";
      const call = `api.${method.toUpperCase()}(${JSON.stringify(path)}, { params: {} as never${body} })`;
      const successes = Object.entries(responses).filter(([status]) => status.startsWith("2"));
      return { path, call, json: successes.map(([, answer]) => jsonOf(answer)).join(" | ") };
    }),
);

const root = new URL("../../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "parley-openapi-fetch-"));
const example = /```ts\n(import createClient from "openapi-fetch"[\s\S]*?)```/.exec(
  readFileSync(`${root}src/docs/client.md`, "utf8"),
)?.[1];
const PRELUDE = 'const { PARLEY = "", KEY = "", SESSION = "" } = process.env;\n';
let server: LocalServer;

beforeAll(async () => {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(join(folder, "parley.d.ts"), pathsModule());
  writeFileSync(join(folder, "example.ts"), PRELUDE + example);
  server = await startLocalServer();
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** @returns what the TypeScript compiler has to say */
async function compile(include: string[]): Promise<string> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    module: "nodenext",
    moduleResolution: "nodenext",
    target: "es2024",
    lib: ["es2024", "dom", "dom.iterable"],
    types: ["node"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
    (failure: { stdout: string }) => failure,
  );
  return stdout;
}

it("types the JSON of a route that can stream too, by createClient<paths> alone", async () => {
  expect(eitherWay.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["/sessions/chat", "/v1/sessions/{id}/prompt", "/openai/v1/chat/completions"]),
  );
  expect(eitherWay.length).toBeGreaterThanOrEqual(8);
  const same = eitherWay.map(
    ({ call, json }, index) =>
      `const answer${index} = await ${call};\nsame<NonNullable<typeof answer${index}.data>, Readable<${json}>>(true);`,
  );
  const named = Object.keys(document.components.schemas).filter((id) => same.some((line) => line.includes(id)));
  writeFileSync(
    join(folder, "same.ts"),
    [
      'import createClient from "openapi-fetch";',
      // What it makes of every answer: fields that can only be sent, or only be null, are left out.
      'import type { Readable } from "openapi-typescript-helpers";',
      `import type { paths, ${named.join(", ")} } from "./parley.d.ts";`,
      "declare function same<A, B>(is: [A] extends [B] ? ([B] extends [A] ? true : false) : false): void;",
      'const api = createClient<paths>({ baseUrl: "http://localhost:8787" });',
      ...same,
    ].join("\n"),
  );
  expect(await compile(["same.ts"])).toBe("");
});

it("compiles the example of the guide, which works as printed", async () => {
  expect(await compile(["example.ts"])).toBe("");
  const { parley, key, address } = server;
  const [chatbots, clients] = await Promise.all([parley.chatbots.list(), parley.clients.list()]);
  const owners = { chatbotId: chatbots.results[0]?.id ?? "", clientId: clients.results[0]?.id ?? "" };
  const { id } = await parley.sessions.create(owners);
  const env = { ...process.env, PARLEY: address, KEY: key, SESSION: id, NODE_OPTIONS: "--no-warnings" };
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "example.ts")], { env });
  expect(stdout).toMatch(/adventurous|feel/i);
});
