/**
 * Fields and query parameters that a route does not know are refused by name. The calls are made from the app's own
 * routes and schemas, so a new route is tested here without a line of its own.
 */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { dialects } from "../../../src/app.ts";
import { dialectOf } from "../../../src/routes/http/dialect.ts";
import { apiRoutes } from "../../../src/api-docs.ts";
import type { DescribedRoute } from "../../../src/routes/openapi/document.ts";
import { call, get, post, put } from "../../support/api.ts";
import type { Answer } from "../../support/api.ts";
import { createClient, createComparison, createEndpoint, createSession, unique } from "../../support/create.ts";
import { connect } from "../../support/follow.ts";
import { createExisting } from "../../support/hostile.ts";
import type { Existing } from "../../support/hostile.ts";

interface Refusal {
  path: (string | number)[];
  message: string;
}

interface Detail {
  path: string;
  message: string;
}

interface MoonshotDetail {
  type: string;
  loc: (string | number)[];
  msg: string;
}

function moonshotRefusals({ body }: Answer): Refusal[] {
  return body.error
    .filter(({ type }: MoonshotDetail) => type === "extra_forbidden")
    .map(({ loc, msg }: MoonshotDetail) => ({ path: loc.slice(1), message: msg }));
}

/** What a refused call lists, by the dialect's prefix. A new dialect fails until it has a line here. */
const REFUSALS: Record<string, (answer: Answer) => Refusal[]> = {
  "": ({ body }) => body.error.details.map(({ path, message }: Detail) => ({ path: path.split("."), message })),
  "/v1": moonshotRefusals,
  "/api/v1": moonshotRefusals,
  "/ui": ({ body }) => body.error.details.map(({ path, message }: Detail) => ({ path: path.split("."), message })),
  "/openai/v1": ({ body }) => {
    const { param, message } = body.error as { param: string; message: string };
    return [{ path: param.split("."), message: message.slice(`Invalid input: ${param}: `.length) }];
  },
};

function refusals(route: DescribedRoute, answer: Answer): Refusal[] {
  const { prefix, invalidInputStatus } = dialectOf(dialects, route.path);
  expect([route.path, answer.status, answer.body]).toEqual([route.path, invalidInputStatus, expect.anything()]);
  const read = REFUSALS[prefix];
  if (!read) throw new Error(`The dialect ${prefix} needs a line in REFUSALS`);
  return read(answer);
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: unknown;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

const schemaOf = (route: DescribedRoute, place: "body" | "query"): JsonSchema | null => {
  const input = route.inputs.find((one) => one.in === place);
  return input ? (z.toJSONSchema(input.schema, { io: "input", unrepresentable: "any" }) as JsonSchema) : null;
};

interface KnownObject {
  path: (string | number)[];
  schema: JsonSchema;
}

/** Every object with fields of its own in a schema. */
function objectsIn(schema: JsonSchema, path: (string | number)[] = []): KnownObject[] {
  const { properties = {}, items, anyOf = [] } = schema;
  return [
    ...(schema.properties ? [{ path, schema }] : []),
    ...Object.entries(properties).flatMap(([name, field]) => objectsIn(field, [...path, name])),
    ...(items ? objectsIn(items, [...path, 0]) : []),
    ...anyOf.flatMap((option) => objectsIn(option, path)),
  ];
}

/** A value with something at a path. Everything else in it is as given. */
function withValueAt(given: unknown, [step, ...rest]: (string | number)[], value: object): unknown {
  if (step === undefined) return { ...(given as object | undefined), ...value };
  if (typeof step === "number") return [withValueAt(undefined, rest, value)];
  const fields = (typeof given === "object" ? given : {}) as Record<string, unknown>;
  return { ...fields, [step]: withValueAt(fields[step], rest, value) };
}

/** Statuses of calls whose input fits. */
const PASSED = [200, 201, 404];

/** A known name with its last letter twice, or a name that is like no other. */
function misspell({ properties = {} }: JsonSchema): { name: string; known: string | null } {
  const known = Object.keys(properties).find((name) => name.length > 2) ?? null;
  return { name: known === null ? "unheardOf" : `${known}${known.at(-1) ?? ""}`, known };
}

const TABLES = [
  "sessions",
  "messages",
  "turns",
  "endpoints",
  "chatbots",
  "clients",
  "prompt_templates",
  "bookmarks",
  "keys",
  "tickets",
];

/** Everything in D1 that a call can change. */
async function everything(): Promise<string> {
  const tables = await env.DB.batch(TABLES.map((table) => env.DB.prepare(`select * from ${table}`)));
  return JSON.stringify(tables.map(({ results }) => results));
}

/** Calls a route so that all would be well without the additions. */
function callWith(
  route: DescribedRoute,
  existing: Existing,
  { query = {}, body }: { query?: Record<string, string>; body?: unknown },
): Promise<Answer> {
  const path = route.path
    .replace("{id}", existing.id)
    .replace("{count}", "5")
    .replace(/\{\w+\}/, "chat_history");
  const needed = path === "/api/v1/bookmarks" && route.method === "delete" ? { name: existing.id } : {};
  const asked = {
    ...(/^\/sessions\/(message|chat)$/.test(path) ? { sessionId: existing.id } : {}),
    ...needed,
    ...query,
  };
  const takesBody = route.inputs.some((input) => input.in === "body");
  const sent = body ?? (takesBody ? exampleOf(route, existing) : undefined);
  const headers: Record<string, string> = path.endsWith("/ws") ? { upgrade: "websocket" } : {};
  return call(route.method.toUpperCase(), `${path}?${new URLSearchParams(asked).toString()}`, sent, { headers });
}

function exampleOf({ operation }: DescribedRoute, { refersTo }: Existing): Record<string, unknown> {
  const example = { ...(operation.example as Record<string, unknown> | undefined) };
  const references = Object.entries(refersTo).filter(([name]) => name in example);
  return { ...example, ...Object.fromEntries(references) };
}

const routes = apiRoutes;
const named = (some: DescribedRoute[]) => some.map((route) => [`${route.method} ${route.path}`, route] as const);
const takes = (place: "body" | "query") => (route: DescribedRoute) => route.inputs.some((input) => input.in === place);

describe("every route", () => {
  it("is found by this test", () => {
    expect(routes.length).toBeGreaterThan(40);
    expect(routes.filter(takes("body")).length).toBeGreaterThan(12);
    expect(routes.filter(takes("query")).length).toBeGreaterThan(12);
  });

  it.each(named(routes))("%s refuses an unknown query parameter, and changes nothing", async (_, route) => {
    const existing = await createExisting(route);
    const { name, known } = misspell(schemaOf(route, "query") ?? {});
    const before = await everything();
    const found = refusals(route, await callWith(route, existing, { query: { [name]: "1" } }));
    const meant = known === null ? "" : `, did you mean "${known}"?`;
    expect(found).toContainEqual({ path: [name], message: `unknown query parameter${meant}` });
    expect(await everything()).toBe(before);
  });

  it.each(named(routes.filter(takes("body"))))(
    "%s refuses an unknown field at every level of its body, and changes nothing",
    async (_, route) => {
      const existing = await createExisting(route);
      const before = await everything();
      for (const { path, schema } of objectsIn(schemaOf(route, "body") ?? {})) {
        // OpenAI's bodies take any field, for the provider.
        if (schema.additionalProperties !== false) continue;
        const { name, known } = misspell(schema);
        const body = withValueAt(exampleOf(route, existing), path, { [name]: 1 });
        const found = refusals(route, await callWith(route, existing, { body }));
        const at = [...path, name].map((step) => (/^(\/api)?\/v1\//.test(route.path) ? step : String(step)));
        expect(found).toContainEqual({ path: at, message: `unknown field, did you mean "${String(known)}"?` });
      }
      expect(await everything()).toBe(before);
    },
  );

  it.each(named(routes.filter(takes("body"))))("%s says in its schema which fields there are", (_, route) => {
    for (const { path, schema } of objectsIn(schemaOf(route, "body") ?? {}))
      expect([path, schema]).toEqual([path, expect.objectContaining({ additionalProperties: expect.anything() })]);
  });

  it.each(named(routes.filter((route) => !takes("body")(route) && ["post", "put", "delete"].includes(route.method))))(
    "%s takes no body, and refuses one with a field in it",
    async (_, route) => {
      const existing = await createExisting(route);
      const before = await everything();
      const found = refusals(route, await callWith(route, existing, { body: { unheardOf: 1 } }));
      expect(found).toEqual([{ path: ["unheardOf"], message: "unknown field" }]);
      expect(await everything()).toBe(before);
      // An empty one, as some clients send with every POST, makes no difference.
      for (const body of ["", "null", "{}"]) {
        const { status } = await callWith(route, existing, { body });
        // No session can have a metric.
        expect(/\/metric\//.test(route.path) ? [...PASSED, 400] : PASSED).toContain(status);
      }
    },
  );
});

describe("an unknown name", () => {
  it("is refused with the nearest known one", async () => {
    const { status, body } = await post("/sessions", { chatbotId: "x", clientId: "y", titel: "Hello" });
    expect(status).toBe(400);
    expect(body.error.details).toContainEqual({ path: "titel", message: 'unknown field, did you mean "title"?' });
    const only = await post("/clients", { name: "Ada", metdata: {} });
    expect(only.body.message).toBe('Invalid input: metdata: unknown field, did you mean "metadata"?');
  });

  it("is refused in /v1 as pydantic does, with its value", async () => {
    const { status, body } = await post("/v1/sessions", { name: "x", endpoints: ["echo"], descripton: "Hello" });
    expect(status).toBe(422);
    const error = {
      type: "extra_forbidden",
      loc: ["body", "descripton"],
      msg: 'unknown field, did you mean "description"?',
      input: "Hello",
    };
    expect(body).toEqual({ error: [error] });
    expect((await get("/v1/sessions?limt=5")).body.error).toEqual([
      { ...error, loc: ["query", "limt"], msg: 'unknown query parameter, did you mean "limit"?', input: "5" },
    ]);
  });

  it("of a filter finds nobody, and not everybody", async () => {
    await createSession();
    for (const query of ["serchString=x", "client_id=65f3a1b2c4d5e6f708192a3b", "Status=ACTIVE", "q=x"])
      for (const path of ["/sessions", "/chatbots", "/clients"])
        expect([path, query, (await get(`${path}?${query}`)).status]).toEqual([path, query, 400]);
  });

  it("may be any in free-form objects", async () => {
    const id = await createClient({ metadata: { titel: 1, nested: { anything: [{ at: "all" }] } } });
    expect((await get(`/clients/${id}`)).body.data.metadata.titel).toBe(1);
    await createEndpoint({ params: { temprature: 0.5, response_format: { type: "json_object" } } });
  });

  it("is repeated up to 100 characters, and its value is not where it may be a secret", async () => {
    const long = "y".repeat(5_000);
    const fields = { [long]: 1, tokne: "sk-secret", apiKey: "sk-secret", Password: "sk-secret" };
    const { status, body } = await post("/v1/llm_endpoints", {
      name: "x",
      connector_type: "echo-connector",
      ...fields,
    });
    expect(status).toBe(422);
    expect(body.error.map(({ loc }: MoonshotDetail) => loc[1])).toEqual([
      `${"y".repeat(99)}…`,
      "tokne",
      "apiKey",
      "Password",
    ]);
    expect(JSON.stringify(body)).not.toContain("sk-secret");
    expect((await put(`/chatbots/${"0".repeat(24)}`, { [long]: 1 })).body.message.length).toBeLessThan(200);
  });

  it("is listed for the first fifty only", async () => {
    const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`field${index}`, index]));
    expect((await post("/clients", { name: "x", ...fields })).body.error.details).toHaveLength(50);
  });

  it("comes after content type and size, and before what a token may do", async () => {
    const path = `/sessions/message?sessionId=${"0".repeat(24)}&unheardOf=1`;
    const plain = { headers: { "content-type": "text/plain" } };
    expect((await post(path, "x", plain)).status).toBe(415);
    expect((await post("/clients?unheardOf=1", "x", plain)).status).toBe(415);
    expect((await post("/clients?unheardOf=1", " ".repeat(1_048_577))).status).toBe(413);
    expect((await post(`/sessions/${"0".repeat(24)}/end`, " ".repeat(1_048_577))).status).toBe(413);
    const clientId = await createClient();
    const { key: token } = (await post("/keys", { name: "k", role: "client", clientId })).body.data;
    expect((await get("/clients?unheardOf=1", { token })).status).toBe(400);
    expect((await get("/clients?unheardOf=1", { token: "nobody" })).status).toBe(401);
  });

  it("that Moonshot's own clients send is known and ignored", async () => {
    const endpoint = await createEndpoint();
    const { session_id: id } = await createComparison([endpoint]);
    const prompted = await post(`/v1/sessions/${id}/prompt`, { prompt: "Hello", history_length: 10 });
    expect([prompted.status, prompted.body.detail]).toEqual([200, undefined]);
    const readBack = { id: "another-id", created_date: "2024-03-15 04:31:47", model: "m" };
    expect((await put(`/v1/llm_endpoints/${endpoint}`, readBack)).status).toBe(200);
    expect((await get(`/v1/llm_endpoints/${endpoint}`)).body).toMatchObject({ id: endpoint, model: "m" });
    expect((await post("/v1/sessions", { name: unique("s"), endpoints: [endpoint], history_length: 1 })).status).toBe(
      422,
    );
  });

  it("in a frame of a socket is malformed: a cancel of one chat never stops them all", async () => {
    const client = await connect(`/sessions/${await createSession()}/ws`);
    client.send({ type: "turn-cancel", id: "1", chatID: "one" });
    expect(await client.next("failure")).toEqual({
      type: "failure",
      id: "1",
      code: "malformed_frame",
      message: 'chatID: unknown field, did you mean "chatId"?',
    });
    client.socket.close(1000);
  });
});
