/** Limits of size, number and time. */
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { apiRoutes } from "../../../src/api-docs.ts";
import { ADMIN_KEY, call, get, post, put } from "../../support/api.ts";
import type { Answer } from "../../support/api.ts";
import { connect, followEvents, upgrade } from "../../support/follow.ts";
import { createSession, unique } from "../../support/create.ts";

/** A body in chunks, so that its size is not known in advance, filled up with blanks. */
function inChunks(bytes: number): ReadableStream<Uint8Array> {
  const text = new TextEncoder().encode(`{"name":"${unique("client")}"`);
  let left = bytes - text.length - 1;
  let begun = false;
  return new ReadableStream({
    pull(controller) {
      if (!begun) controller.enqueue(text);
      begun = true;
      const size = Math.min(left, 65_536);
      if (size > 0) controller.enqueue(new Uint8Array(size).fill(32));
      left -= size;
      if (left > 0) return;
      controller.enqueue(new TextEncoder().encode("}"));
      controller.close();
    },
  });
}

const sendChunks = (path: string, bytes: number) =>
  exports.default.fetch(`http://parley.test${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: inChunks(bytes),
  });

describe("a body", () => {
  it("of 1 MiB is accepted, and one byte more is not, with a known size or in chunks", async () => {
    const ofBytes = (bytes: number) => {
      const head = `{"name":"${unique("client")}"`;
      return `${head}${" ".repeat(bytes - head.length - 1)}}`;
    };
    expect((await post("/clients", ofBytes(1_048_576))).status).toBe(201);
    expect((await post("/clients", ofBytes(1_048_577))).status).toBe(413);
    expect((await sendChunks("/clients", 1_048_576)).status).toBe(201);
    const [session, moonshot] = [await sendChunks("/clients", 1_048_577), await sendChunks("/v1/sessions", 3_000_000)];
    expect([session.status, moonshot.status]).toEqual([413, 413]);
    expect(await session.json()).toMatchObject({ error: { code: "body_too_large" } });
    expect(await moonshot.json()).toEqual({ detail: expect.stringContaining("1048576") });
  });

  it("is parsed once", async () => {
    const name = unique("client");
    const parse = vi.spyOn(JSON, "parse");
    expect((await post("/clients", `{ "name": "${name}" }`)).status).toBe(201);
    const parsed = parse.mock.calls
      .map(([text]) => text)
      .filter((text) => /^\{ ?"name"/.test(text) && text.includes(name));
    parse.mockRestore();
    expect(parsed).toEqual([`{ "name": "${name}" }`]);
  });
});

/** The queries of all routes that take a whole number, from the app's own schemas. */
const NUMBERS = apiRoutes.flatMap(({ method, path, inputs }) =>
  inputs
    .filter((input) => input.in === "query")
    .flatMap(({ schema }) =>
      Object.entries(z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }).properties ?? {}),
    )
    .filter(([, field]) => typeof field === "object" && ["integer", "number"].includes(String(field.type)))
    .map(([name]): [string, string, string] => [method, path.replace("{id}", "65f3a1b2c4d5e6f708192a3b"), name]),
);

/** How a refusal names a field and says what is wrong, in any dialect. */
function refusalIn({ error }: Answer["body"]): unknown[] {
  if (typeof error.param === "string") return [error.param, error.message.replace(/^Invalid input: \w+: /, "")];
  const [issue] = error.details ?? error;
  return [issue.path ?? issue.loc, issue.message ?? issue.msg];
}

/** The status of a refusal, and the field as it is named there. */
const refusalFor = (path: string, name: string): unknown[] =>
  /^\/(api\/)?v1\//.test(path) ? [422, ["query", name]] : [400, name];

describe("a number in a query", () => {
  it("is taken by these routes", () => {
    const names = ["after", "concurrency", "limit", "order_seed", "repeat", "skip", "starting_after"];
    expect(new Set(NUMBERS.map(([, , name]) => name))).toEqual(new Set(names));
    expect(NUMBERS.length).toBeGreaterThan(12);
  });

  it.each(NUMBERS)(
    "is a whole number in decimal digits, and a refusal says so: %s %s, %s",
    async (method, path, name) => {
      const message = "must be a whole number in decimal digits, at most 15 of them";
      const texts = [
        "",
        " ",
        "x",
        "0x5",
        "0b1",
        "0o7",
        "1e1",
        "1.0",
        "1,000",
        "1_0",
        "+5",
        "5 ",
        "٥",
        "Infinity",
        "NaN",
        "null",
        "1".repeat(16),
      ];
      for (const text of texts) {
        const { status, body } = await call(method.toUpperCase(), `${path}?${name}=${encodeURIComponent(text)}`);
        expect([text, status, ...refusalIn(body)]).toEqual([text, ...refusalFor(path, name), message]);
      }
    },
  );
});

describe("params and metadata", () => {
  const endpointId = async () => {
    const name = unique("bounded");
    await post("/v1/llm_endpoints", { name, connector_type: "echo-connector" });
    return name.replaceAll(" ", "-");
  };

  it("hold 16 KiB of JSON in bytes, whatever the characters", async () => {
    const id = await endpointId();
    // Each of these characters has 3 bytes in UTF-8.
    const [fits, tooLarge] = [{ x: "語".repeat(5_458) }, { x: "語".repeat(5_459) }];
    expect(new TextEncoder().encode(JSON.stringify(fits))).toHaveLength(16_382);
    const statuses = async (object: object) => [
      (await put(`/v1/llm_endpoints/${id}`, { params: object })).status,
      (await post("/chatbots", { name: "a", endpointId: id, params: object })).status,
      (await post("/clients", { name: "a", metadata: object })).status,
    ];
    expect(await statuses(fits)).toEqual([200, 201, 201]);
    expect(await statuses(tooLarge)).toEqual([422, 400, 400]);
  });
});

describe("subscribers of a session", () => {
  it("are 1,000 at most, over sockets and event streams together, and the next gets 429", async () => {
    const id = await createSession();
    const reader = await followEvents(`/sessions/${id}/events`);
    const tokens: string[] = [];
    while (tokens.length < 50)
      tokens.push((await post("/keys", { name: `follower ${tokens.length}`, role: "service" })).body.data.key);
    // At most 20 sockets of each caller.
    const tokenOf = (n: number) => tokens[Math.floor(n / 20)] ?? "";
    const sockets = await Promise.all(
      Array.from({ length: 999 }, (_, n) => connect(`/sessions/${id}/ws`, { token: tokenOf(n) })),
    );
    const socket = await upgrade(`/sessions/${id}/ws`, { token: tokenOf(999) });
    expect([socket.status, socket.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await socket.json()).toMatchObject({ success: false, error: { code: "too_many_followers" } });
    const events = await get(`/sessions/${id}/events`);
    expect([events.status, events.body.error.code]).toEqual([429, "too_many_followers"]);
    await reader.cut();
    sockets[0]?.socket.close(1000);
    await sockets[0]?.until(({ closed }) => closed !== null);
    (await connect(`/sessions/${id}/ws`)).socket.close(1000);
    for (const { socket: open } of sockets) open.close(1000);
  });
});

describe("a time further away than the platform can set an alarm", () => {
  const FAR = "9999-12-31T23:59:59.999Z";

  it("may be the start of a session", async () => {
    const id = await createSession({ startTime: FAR });
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({ status: "SCHEDULED", startTime: FAR });
    const near = await createSession({ startTime: new Date(Date.now() + 3_600_000).toISOString() });
    expect((await put(`/sessions/${near}`, { startTime: FAR })).body.data.startTime).toBe(FAR);
  });

  it("may be the expiry of a key that opens a socket", async () => {
    const { key: token } = (await post("/keys", { name: "k", role: "service", expiresAt: FAR })).body.data;
    const client = await connect(`/sessions/${await createSession()}/ws`, { token });
    expect(await client.next("session-snapshot")).toMatchObject({ lastSeq: 0 });
    client.socket.close(1000);
  });
});

it("an invalid Idempotency-Key is refused with a POST, and ignored with other methods", async () => {
  const headers = { "idempotency-key": "" };
  expect((await post("/clients", { name: unique("client") }, { headers })).body.error.code).toBe(
    "invalid_idempotency_key",
  );
  expect((await get("/sessions", { headers })).status).toBe(200);
});
