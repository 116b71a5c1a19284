/** Generated hostile input on every route and over sockets: refused without damage. */
import * as fc from "fast-check";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { OPEN_PATHS } from "../../../src/routes/http/authenticate.ts";
import { apiRoutes } from "../../../src/api-docs.ts";
import type { DescribedRoute } from "../../../src/routes/openapi/document.ts";
import { call } from "../../support/api.ts";
import { connect } from "../../support/follow.ts";
import { createComparison, createSession, createEndpoint } from "../../support/create.ts";
import { bodiesFor, hostile, idsFor, namesFor, queriesFor, createExisting } from "../../support/hostile.ts";
import type { Existing } from "../../support/hostile.ts";

/** Bodies per route. `HOSTILE=400 npm run test:run -- hostile` tries more. */
const RUNS = inject("hostileRuns");

/** Words that only the inside of the service uses. */
const LEAKS =
  /SQLITE|D1_ERROR|drizzle|node_modules|\.ts:\d|at async |TypeError|RangeError|undefined is not|insert into|select \*|test-admin-key|sealed:\d/i;

const CHAT = "POST /sessions/chat?sessionId=REAL";

/** Expected statuses: refused input, and failures of endpoints. */
const EXPECTED = new Set([200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 426, 502, 504]);

interface Given {
  id: string;
  name: string;
  query: string;
  body: unknown;
}

const callsTo = (route: DescribedRoute, existing: Existing): fc.Arbitrary<Given> =>
  fc.record({
    id: idsFor(existing),
    name: namesFor(existing),
    query: queriesFor(route, existing),
    body: bodiesFor(route, existing),
  });

async function ask(route: DescribedRoute, { id, name, query, body }: Given, token?: null) {
  const path = route.path.replace("{id}", id).replace("{name}", name);
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

/** How many rows there are, without the sessions of runs: a run that a call has made goes on beside the next calls. */
const rows = async (): Promise<number> => {
  const tables = [
    "sessions where run_id is null",
    "messages where key >> 20 in (select number from sessions where run_id is null)",
    "endpoints",
    "chatbots",
    "clients",
    "prompt_templates",
    "keys",
    "runs",
  ];
  const counted = await env.DB.prepare(
    `select ${tables.map((table) => `(select count(*) from ${table})`).join(" + ")} as n`,
  ).first<{ n: number }>();
  return counted?.n ?? 0;
};

const isMoonshot = ({ path }: { path: string }) => /^(\/api)?\/v1\//.test(path);

const routes = apiRoutes.filter(({ path }) => !/\/(ws|events)$/.test(path) && path !== "/openapi.json");

describe("a hostile call", () => {
  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "to %s is refused in the dialect's form, leaks nothing, and changes nothing",
    async (_, route) => {
      const existing = await createExisting(route);
      const calls = callsTo(route, existing);
      const property = fc.asyncProperty(calls, async (given) => {
        const before = await rows();
        const { status, body: answered, shown } = await ask(route, given);
        expect([...EXPECTED]).toContain(status);
        expect(shown.slice(0, 20_000)).not.toMatch(LEAKS);
        if (status < 400) return;
        expect(isMoonshot(route) ? (answered.detail ?? answered.error) : answered.error.code).toBeTruthy();
        if (status < 500) expect(await rows()).toBe(before);
      });
      await fc.assert(property, { numRuns: RUNS });
    },
  );

  it.each(
    routes
      .filter(({ path }) => !OPEN_PATHS.includes(path))
      .map((route) => [`${route.method} ${route.path}`, route] as const),
  )("to %s without a token learns only that", async (_, route) => {
    const existing = await createExisting(route);
    const calls = callsTo(route, existing);
    const property = fc.asyncProperty(calls, async (given) => {
      // A path such as `..` may lead to no route.
      expect([401, 404, 405]).toContain((await ask(route, given, null)).status);
    });
    await fc.assert(property, { numRuns: 5 });
  });

  it("with a body that is not JSON, or has another content type, is refused as such", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...routes.filter(({ inputs }) => inputs.some((input) => input.in === "body"))),
      fc.oneof(
        fc.string({ maxLength: 60 }),
        fc.constantFrom("{", '{"a":', "\0", "[1,]", "NaN", "{'a':1}", '{"a":1}{}', '{"name":1,"name":[]}'),
        fc.constantFrom("[".repeat(400_000), '{"a":'.repeat(100_000), '{"name":1e999}', '{"\\ud800":"\\udfff"}', "-"),
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

  it("with unusual headers is answered, or refused as such", async () => {
    const existing = await createSession();
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("\t", " ", ",", ";", "=", '"', "a", "1", "-", "%"), maxLength: 300 }),
      fc.constantFrom("return=minimal", "first-primary", "0".repeat(200), "1e999", "__proto__", "a,".repeat(2_000)),
    );
    const heads = [
      "accept",
      "cf-connecting-ip",
      "content-type",
      "idempotency-key",
      "last-event-id",
      "origin",
      "prefer",
    ];
    const names = fc.constantFrom(...heads, "sec-websocket-protocol", "upgrade", "x-d1-bookmark", "x-request-id");
    const property = fc.asyncProperty(
      fc.constantFrom(
        "GET /sessions",
        "GET /v1/sessions",
        `GET /sessions/${existing}`,
        `GET /sessions/${existing}/ws`,
        CHAT,
      ),
      fc.dictionary(names, text, { maxKeys: 4 }),
      async (asked, headers) => {
        const [method = "", path = ""] = asked.split(" ");
        const body = method === "POST" ? { content: "hi" } : undefined;
        const { status, body: answered } = await call(method, path.replace("REAL", existing), body, { headers });
        expect([101, 200, 400, 403, 404, 409, 415, 426]).toContain(status);
        expect(JSON.stringify(answered)).not.toMatch(LEAKS);
      },
    );
    await fc.assert(property, { numRuns: RUNS * 6 });
  });

  it.each(["/sessions", "/v1/sessions"])(
    "to follow a session of %s opens nothing that does not exist",
    async (prefix) => {
      const ids = fc.constantFrom("%00", "%ff", "%E0%A4%A", "..%2f..", "__proto__", "x".repeat(2_000), "none");
      const after = fc.oneof(
        fc.constantFrom("-1", "1e999", "NaN", "", "\0", "9007199254740993"),
        fc.string({ maxLength: 20 }),
      );
      const property = fc.asyncProperty(ids, after, fc.boolean(), async (id, from, isSocket) => {
        const path = `${prefix}/${id}/${isSocket ? "ws" : "events"}?after=${encodeURIComponent(from)}`;
        const { status, body } = await call("GET", path, undefined, {
          headers: isSocket ? { upgrade: "websocket" } : {},
        });
        expect([400, 404, 422]).toContain(status);
        expect(JSON.stringify(body)).not.toMatch(LEAKS);
      });
      await fc.assert(property, { numRuns: RUNS });
    },
  );
});

describe("hostile frames", () => {
  let chat = "";
  let comparison = "";

  beforeAll(async () => {
    chat = await createSession();
    comparison = (await createComparison([await createEndpoint()])).session_id;
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

  it("are answered or close the socket, and the session continues", async () => {
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
