import * as fc from "fast-check";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { app } from "../../src/app.ts";
import { describedRoutes } from "../../src/routes/openapi/document.ts";
import type { DescribedRoute } from "../../src/routes/openapi/document.ts";
import { call } from "../support/api.ts";
import { connect } from "../support/follow.ts";
import { aComparison, aSession, anEndpoint } from "../support/given.ts";

/** Bodies tried on each route; `HOSTILE=400 npm run test:run -- hostile` tries more. */
const RUNS = inject("hostileRuns");

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
  "x".repeat(300),
  "x".repeat(120_000),
  "http://169.254.169.254/",
  "2024-02-30",
  "-1",
  "1e999",
  "0123456789abcdef01234567",
];

const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRINGS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 3, arbitrary: fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, -0, Number.MAX_SAFE_INTEGER, 1e308) },
  {
    weight: 2,
    arbitrary: fc.constantFrom([], {}, [null], [[]], { a: {} }, { length: 1e9 }, { toString: 1 }, [{ role: "user" }]),
  },
  { weight: 1, arbitrary: fc.object({ maxDepth: 3 }) },
);

/** A route's own example with some of it replaced, left out or added to, or anything at all. */
const bodiesFor = (example: unknown): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 5, arbitrary: mutations(example) },
    { weight: 1, arbitrary: hostile },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom("name", "__proto__", "id", "role", "content", "params"), hostile),
    },
  );

function mutations(example: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(example)) return fc.oneof(fc.constant(example), hostile, fc.array(hostile, { maxLength: 70 }));
  if (typeof example !== "object" || example === null) return fc.oneof(fc.constant(example), hostile);
  const fields = Object.entries(example).map(([name, value]) => [name, mutations(value)] as const);
  const some = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  return fc
    .tuple(some, fc.dictionary(fc.string({ maxLength: 12 }), hostile, { maxKeys: 2 }))
    .map(([a, b]) => ({ ...b, ...a }));
}

const ids = fc.constantFrom(
  "0123456789abcdef01234567",
  "none",
  "%00",
  "%ff",
  "%E0%A4%A",
  "..%2f..",
  "%2e%2e",
  "a%20b",
  "x".repeat(2_000),
  "toString",
  "__proto__",
  "none_20240315-043147",
  "%F0%9F%98%80_20240315-043147",
);

const queries = fc
  .dictionary(
    fc.constantFrom(
      "sessionId",
      "limit",
      "skip",
      "after",
      "status",
      "startDate",
      "searchString",
      "clientId",
      "include",
      "include_history",
      "format",
      "deep",
      "ticket",
    ),
    hostile.map((value) => (typeof value === "string" ? value.slice(0, 3_000) : JSON.stringify(value))),
    { maxKeys: 4 },
  )
  .map((query) => new URLSearchParams(query).toString());

/** What only the inside of the service says. */
const LEAKS =
  /SQLITE|D1_ERROR|drizzle|node_modules|\.ts:\d|at async |TypeError|RangeError|undefined is not|insert into|select \*|test-admin-key|sealed:1:/i;

/** Refusals by what it asks, and an endpoint's failures. */
const EXPECTED = new Set([200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 426, 502, 504]);

async function ask(route: DescribedRoute, id: string, query: string, body: unknown, token?: null) {
  const path = route.path.replace("{id}", id).replace("{name}", id);
  const takesBody = route.inputs.some((input) => input.in === "body");
  const text = takesBody ? JSON.stringify(body) : undefined;
  const answer = await call(
    route.method.toUpperCase(),
    `${path}${query && "?"}${query}`,
    text ?? (takesBody ? "null" : undefined),
    token === null ? { token } : {},
  );
  const shown = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  return { ...answer, shown };
}

const rows = async (): Promise<number> => {
  const tables = ["sessions", "messages", "endpoints", "chatbots", "clients", "prompt_templates", "keys"];
  const counted = await env.DB.prepare(
    `select ${tables.map((table) => `(select count(*) from ${table})`).join(" + ")} as n`,
  ).first<{ n: number }>();
  return counted?.n ?? 0;
};

const routes = describedRoutes(app).filter(
  ({ path }) => !/\/(ws|events)$/.test(path) && path !== "/docs" && path !== "/openapi.json",
);

describe("a hostile call", () => {
  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "to %s is refused in the dialect's form, tells nothing, and changes nothing",
    async (_, route) => {
      const property = fc.asyncProperty(ids, queries, bodiesFor(route.operation.example), async (id, query, body) => {
        const before = await rows();
        const { status, body: answered, shown } = await ask(route, id, query, body);
        expect([...EXPECTED]).toContain(status);
        expect(shown.slice(0, 20_000)).not.toMatch(LEAKS);
        if (status < 400) return;
        expect(route.path.startsWith("/v1") ? (answered.detail ?? answered.error) : answered.error.code).toBeTruthy();
        if (status < 500) expect(await rows()).toBe(before);
      });
      await fc.assert(property, { numRuns: RUNS });
    },
  );

  it.each(
    routes.filter(({ path }) => path !== "/healthz").map((route) => [`${route.method} ${route.path}`, route] as const),
  )("to %s without a token learns nothing but that", async (_, route) => {
    const property = fc.asyncProperty(ids, queries, bodiesFor(route.operation.example), async (id, query, body) => {
      // What a path such as `..` leads to may be no route at all.
      expect([401, 404, 405]).toContain((await ask(route, id, query, body, null)).status);
    });
    await fc.assert(property, { numRuns: 5 });
  });

  it("with a body that is no JSON, or of another type, is refused as that", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...routes.filter(({ inputs }) => inputs.some((input) => input.in === "body"))),
      fc.oneof(
        fc.string({ maxLength: 60 }),
        fc.constantFrom("{", '{"a":', "\0", "[1,]", "NaN", "{'a':1}", '{"a":1}{}'),
      ),
      fc.constantFrom("application/json", "text/plain", "application/jsonx", "multipart/form-data; boundary=x", ""),
      async (route, text, type) => {
        const sessionId = "?sessionId=0123456789abcdef01234567";
        const path = route.path.replace("{id}", "none").replace("{name}", "none");
        const { status, body } = await call(route.method.toUpperCase(), path + sessionId, text || " ", {
          headers: { "content-type": type },
        });
        expect([400, 404, 415, 422]).toContain(status);
        expect(JSON.stringify(body)).not.toMatch(LEAKS);
      },
    );
    await fc.assert(property, { numRuns: RUNS * 6 });
  });
});

describe("hostile frames", () => {
  let chat = "";
  let comparison = "";

  beforeAll(async () => {
    chat = await aSession();
    comparison = (await aComparison([await anEndpoint()])).session_id;
  });

  const frames = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    hostile.map((value) => JSON.stringify(value)),
    fc
      .record(
        {
          type: fc.oneof(fc.constantFrom("message-append", "prompt-submit", "turn-cancel", "ack"), hostile),
          id: fc.oneof(fc.string({ maxLength: 5 }), hostile),
          role: fc.oneof(fc.constantFrom("user", "assistant", "system"), hostile),
          content: hostile,
          chatId: hostile,
        },
        { requiredKeys: [] },
      )
      .map((frame) => JSON.stringify(frame)),
  );

  it("are answered or close the socket, and the session goes on", async () => {
    const property = fc.asyncProperty(
      fc.boolean(),
      fc.array(frames, { minLength: 1, maxLength: 12 }),
      async (isChat, sent) => {
        const path = isChat ? `/sessions/${chat}/ws` : `/v1/sessions/${comparison}/ws`;
        const client = await connect(path);
        await client.next("session-snapshot");
        for (const frame of sent) if (client.closed === null) client.send(frame);
        client.send({ type: "turn-cancel", id: "the last" });
        await client.until(({ closed, events }) => closed !== null || events.some(({ id }) => id === "the last"));
        if (client.closed) expect([1000, 1009, 4400, 4429]).toContain(client.closed.code);
        expect(JSON.stringify(client.events)).not.toMatch(LEAKS);
        client.socket.close(1000);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
    expect((await call("GET", `/sessions/${chat}`)).status).toBe(200);
  });
});
