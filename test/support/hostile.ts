/** Generators of hostile input, made from the schemas that the routes describe themselves with. */
import * as fc from "fast-check";
import * as z from "zod";
import type { DescribedRoute } from "../../src/routes/openapi/document.ts";
import { post } from "./api.ts";
import { createChatbot, createClient, createComparison, createSession, createEndpoint, unique } from "./create.ts";

const STRINGS = [
  "",
  " ",
  "\0",
  "null",
  "__proto__",
  "constructor",
  "'; drop table sessions; --",
  '" OR 1=1',
  "{{ prompt }}",
  "{% for i in range(1e9) %}",
  "env:ADMIN_KEY",
  "********",
  "\u{1f600}".repeat(70),
  "\u202e\u0000\ufeff",
  "\ud800",
  "a\udfffb",
  "x".repeat(300),
  "x".repeat(120_000),
  "http://169.254.169.254/",
  "2024-02-30",
  "+275760-09-13T00:00:00.001Z",
  "-1",
  "1e999",
  "0123456789abcdef01234567",
];

const NUMBERS = [0, -1, 1.5, 1e21, -0, Number.MAX_SAFE_INTEGER, 1e308, 5e-324];

/** Values that no field expects. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRINGS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 3, arbitrary: fc.constantFrom(null, true, false, ...NUMBERS) },
  {
    weight: 2,
    arbitrary: fc.constantFrom([], {}, [null], [[]], { a: {} }, { length: 1e9 }, { toString: 1 }, [{ role: "user" }]),
  },
  { weight: 1, arbitrary: fc.object({ maxDepth: 3 }) },
);

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  examples?: unknown[];
  type?: string;
  format?: string;
}

const schemaOf = (route: DescribedRoute, side: "body" | "query"): Schema | null => {
  const input = route.inputs.find((one) => one.in === side);
  return input ? (z.toJSONSchema(input.schema, { io: "input", unrepresentable: "any" }) as Schema) : null;
};

/** Mostly valid values for a schema, sometimes a hostile one. */
function closeTo(schema: Schema, example: unknown): fc.Arbitrary<unknown> {
  const fitting = [...literals(schema, example), ...parts(schema, example)];
  const plain = PLAIN[schema.format ?? schema.type ?? ""];
  if (fitting.length === 0) fitting.push(plain ?? hostile);
  return fc.oneof({ weight: 12, arbitrary: fc.oneof(...fitting) }, { weight: 1, arbitrary: hostile });
}

function literals(schema: Schema, example: unknown): fc.Arbitrary<unknown>[] {
  const named = [...(schema.enum ?? []), ...(schema.examples ?? []), ...("const" in schema ? [schema.const] : [])];
  if (example !== undefined && !schema.properties) return [fc.constant(example)];
  return named.length > 0 ? [fc.constantFrom(...named)] : [];
}

const parts = (schema: Schema, example: unknown): fc.Arbitrary<unknown>[] => [
  ...(schema.anyOf ?? []).map((one) => closeTo(one, example)),
  ...(schema.properties ? [fields(schema.properties, example)] : []),
  ...(schema.items ? [fc.array(closeTo(schema.items, undefined), { maxLength: 70 })] : []),
];

const PLAIN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  "date-time": fc.constantFrom("2024-03-15", "2024-03-15T04:31:47Z", "9999-12-31T23:59:59.999Z"),
  integer: fc.integer({ min: -1, max: 200 }),
  number: fc.double({ min: 0, max: 1e6 }),
  object: fc.dictionary(fc.string({ maxLength: 12 }), hostile, { maxKeys: 3 }),
  string: fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
};

/** Unknown names are refused before anything else, so most calls have none. */
const seldom = <T extends object>(unknown: fc.Arbitrary<T>): fc.Arbitrary<T | object> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: unknown });

function fields(properties: Record<string, Schema>, example: unknown): fc.Arbitrary<unknown> {
  const given = new Map(Object.entries(typeof example === "object" && example !== null ? example : {}));
  const each = Object.entries(properties).map(([name, schema]) => [name, closeTo(schema, given.get(name))] as const);
  const required = [...given.keys()].filter((name) => name in properties);
  // Two of three have all required fields, so that most calls get past the first check.
  const some = fc.oneof(
    { weight: 2, arbitrary: fc.record(Object.fromEntries(each), { requiredKeys: required }) },
    { weight: 1, arbitrary: fc.record(Object.fromEntries(each), { requiredKeys: [] }) },
  );
  return fc
    .tuple(some, seldom(fc.dictionary(fc.string({ maxLength: 12 }), hostile, { maxKeys: 2 })))
    .map(([known, unknown]) => ({ ...unknown, ...known }));
}

/** Bodies for a route: mostly close to its schema, sometimes anything. */
export function bodiesFor(route: DescribedRoute, existing: Existing): fc.Arbitrary<unknown> {
  const schema = schemaOf(route, "body") ?? {};
  const example = { ...(route.operation.example as object | undefined), ...pick(schema, existing.refersTo) };
  return fc.oneof(
    { weight: 7, arbitrary: closeTo(schema, example) },
    { weight: 1, arbitrary: hostile },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom("name", "__proto__", "id", "role", "content", "params"), hostile),
    },
  );
}

const pick = ({ properties = {} }: Schema, from: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => name in properties));

/** Query strings for a route. */
export function queriesFor(route: DescribedRoute, existing: Existing): fc.Arbitrary<string> {
  const { properties = {} } = schemaOf(route, "query") ?? {};
  const known = Object.entries(properties).map(
    ([name, schema]) => [name, closeTo(schema, { ...existing.refersTo, sessionId: existing.id }[name])] as const,
  );
  const requiredKeys = Object.keys(properties).filter((name) => name === "sessionId");
  return fc
    .tuple(
      fc.record(Object.fromEntries(known), { requiredKeys }),
      seldom(fc.dictionary(fc.constantFrom("after", "ticket", "__proto__", "x"), hostile, { maxKeys: 1 })),
    )
    .map(([asked, more]) => new URLSearchParams(Object.entries({ ...more, ...asked }).map(inText)).toString());
}

const inText = ([name, value]: [string, unknown]): [string, string] => [
  name,
  (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 3_000),
];

const BAD_IDS = [
  "0123456789abcdef01234567",
  "none",
  "%00",
  "%ff",
  "%E0%A4%A",
  "..%2f..",
  "a%20b",
  "x".repeat(2_000),
  "toString",
  "__proto__",
  "none_20240315-043147",
  "%F0%9F%98%80_20240315-043147",
];

/** Ids for a path: half of them exist. */
export const idsFor = (existing: Existing): fc.Arbitrary<string> =>
  fc.oneof(fc.constant(existing.id), fc.constantFrom(...BAD_IDS));

/** Names for a path. */
export const namesFor = (existing: Existing): fc.Arbitrary<string> =>
  fc.oneof(fc.constantFrom(existing.id, "chat_history", "add_previous_prompt"), fc.constantFrom(...BAD_IDS));

/** Existing things that a call could damage. */
export interface Existing {
  /** The id of the thing that the route is about. */
  id: string;
  /** Ids of further things, by the field that refers to them. */
  refersTo: Record<string, unknown>;
}

/** Creates what a route is about. */
export async function createExisting({ path }: DescribedRoute): Promise<Existing> {
  const [endpointId, clientId] = [await createEndpoint(), await createClient()];
  const chatbotId = await createChatbot({ endpointId });
  const refersTo = { endpointId, clientId, chatbotId, endpoints: [endpointId] };
  const make = CREATORS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? (async () => "none");
  return { id: await make(refersTo), refersTo };
}

const CREATORS: [string, (refersTo: Record<string, unknown>) => Promise<string>][] = [
  ["/sessions", ({ chatbotId, clientId }) => createSession({ chatbotId, clientId })],
  ["/api/v1/sessions", async ({ endpoints }) => (await createComparison(endpoints as string[])).session_id],
  ["/api/v1/llm-endpoints", () => createEndpoint()],
  ["/api/v1/prompt-templates", createTemplate],
  ["/v1/sessions", async ({ endpoints }) => (await createComparison(endpoints as string[])).session_id],
  ["/v1/llm_endpoints", () => createEndpoint()],
  ["/v1/prompt_templates", createTemplate],
  ["/v1/runs", ({ endpoints }) => createRun(endpoints as string[])],
  ["/v1/bookmarks", createBookmark],
  ["/api/v1/bookmarks", createBookmark],
  ["/chatbots", () => createChatbot()],
  ["/clients", () => createClient()],
  ["/keys", async () => (await post("/keys", { name: "k", role: "service" })).body.data.id],
];

async function createRun(endpoints: string[]): Promise<string> {
  const { status, body } = await post("/v1/runs", { name: unique("run"), endpoints, items: [{ prompt: "p" }] });
  if (status !== 200) throw new Error(`No run: ${status}`);
  return body.run.run_id;
}

async function createBookmark(): Promise<string> {
  const name = unique("bookmark").replaceAll(" ", "-");
  const texts = { prompt: "p", prepared_prompt: "p", response: "r" };
  const { status } = await post("/api/v1/bookmarks", { name, ...texts });
  if (status !== 200) throw new Error(`No bookmark: ${status}`);
  return name;
}

async function createTemplate(): Promise<string> {
  const name = unique("template").replaceAll(" ", "-");
  const { status } = await post("/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" });
  if (status !== 200) throw new Error(`No template: ${status}`);
  return name;
}
