/** The proxy of `npm start`, over raw sockets: who is let in, and what passes through it. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { asAdmin, call, copyProject, freePort, get, untilReady } from "../../support/local-project.node.ts";

const { npmStart, killAll, remove } = copyProject();
let port = 0;
let sessionId = "";

beforeAll(async () => {
  port = await freePort();
  await untilReady(npmStart(port));
  const parley = new ParleyClient({ url: `http://127.0.0.1:${port}`, token: "parley-dev" });
  await parley.endpoints.create({ name: "slow", connector_type: "echo-connector", params: { tokens_per_second: 5 } });
  const chatbot = await parley.chatbots.create({ name: "Slow", endpointId: "slow" });
  const client = await parley.clients.create({ name: "Ada" });
  sessionId = (await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "slow" })).id;
});

afterAll(async () => {
  await killAll();
  remove();
});

const AUTHORIZATION = "Authorization: Bearer parley-dev";
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Sends exactly these lines. @returns the answer so far when `until` is in it, or the whole when the server closes */
async function send(lines: string[], until: string | RegExp = /\r\n\r\n/): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1").write(`${lines.join("\r\n")}\r\n\r\n`);
  let received = "";
  for await (const text of socket) {
    received += text as string;
    if (received.search(until) >= 0) break;
  }
  socket.destroy();
  return received;
}

const statusOf = async (lines: string[]) => Number((await send(lines)).split(" ")[1]);

const foreign = () => `Host: rebound.example:${port}`;
const ownUrl = (path: string) => `MF-Original-URL: http://127.0.0.1:${port}${path}`;

describe("a call by a foreign name", () => {
  const AS_PAGE = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64)", "Accept-Language: en-US,en;q=0.9"];

  it.each([
    "/healthz",
    "/chatbots",
    "/v1/llm_endpoints",
    "/openapi.json",
    "/docs",
    "/",
    "/console",
    "/widget.js",
    "/cdn-cgi/local/scheduled",
  ])("to %s is refused, with and without the header by which wrangler takes another URL", async (path) => {
    for (const more of [[], [ownUrl(path)], AS_PAGE, [ownUrl(path), ...AS_PAGE], ["MF-Original-Hostname: localhost"]])
      expect([more, await statusOf([`GET ${path} HTTP/1.1`, foreign(), AUTHORIZATION, ...more])]).toEqual([more, 403]);
  });

  it.each([
    "localhost#.evil.example",
    "localhost/v1",
    "localhost?.evil.example",
    "evil.example@localhost",
    "localhost\\.evil.example",
  ])("is refused when its host only begins or ends like an allowed one: %s", async (host) => {
    expect(await statusOf([`GET /chatbots HTTP/1.1`, `Host: ${host}:${port}`, AUTHORIZATION])).toBe(403);
  });

  it("is refused for an upgrade, too", async () => {
    const path = `/sessions/${sessionId}/ws`;
    for (const more of [[], [ownUrl(path)], [...AS_PAGE, ownUrl(path)]])
      expect(await statusOf([`GET ${path} HTTP/1.1`, foreign(), AUTHORIZATION, ...UPGRADE, ...more])).toBe(403);
  });

  it("is refused as a second call on a connection that began with an allowed one", async () => {
    const first = ["GET /healthz HTTP/1.1", `Host: localhost:${port}`, "", ""];
    const received = await send(
      [...first, "GET /chatbots HTTP/1.1", foreign(), AUTHORIZATION, ownUrl("/chatbots")],
      /403/,
    );
    expect(received).toMatch(/^HTTP\/1.1 200 OK[^]*HTTP\/1.1 403 /);
    // After an upgrade that is none, too: what follows on the connection does not pass the proxy's check.
    const upgrade = ["GET /healthz HTTP/1.1", `Host: localhost:${port}`, "Connection: Upgrade", "Upgrade: h2c", "", ""];
    const second = ["GET /chatbots HTTP/1.1", foreign(), AUTHORIZATION, ownUrl("/chatbots")];
    const answers = await send([...upgrade, ...second], "never");
    expect(answers.match(/^HTTP\/1.1 \d+/gm)).toEqual(["HTTP/1.1 200"]);
    const refusedSocket = ["GET /no-such-route HTTP/1.1", `Host: localhost:${port}`, AUTHORIZATION, ...UPGRADE, "", ""];
    expect(await send([...refusedSocket, ...second], /HTTP[^]*HTTP\/1.1 /)).toMatch(/^HTTP\/1.1 404[^]*HTTP\/1.1 403 /);
  });

  it("is refused in the target, and when there are two hosts or none", async () => {
    const local = `Host: localhost:${port}`;
    for (const lines of [
      [`GET http://rebound.example:${port}/chatbots HTTP/1.1`, local, AUTHORIZATION],
      ["GET /chatbots HTTP/1.1", local, foreign(), AUTHORIZATION],
      ["GET /chatbots HTTP/1.1", AUTHORIZATION],
      ["GET /chatbots HTTP/1.0", AUTHORIZATION],
      ["GET /chatbots HTTP/1.1", "Host: localhost@rebound.example", AUTHORIZATION],
    ])
      expect([lines, await statusOf(lines)]).toEqual([
        lines,
        expect.toSatisfy((status) => status === 400 || status === 403),
      ]);
  });
});

it("a header by which wrangler takes another URL changes nothing for a caller who is let in", async () => {
  const lines = ["GET /healthz HTTP/1.1", `Host: localhost:${port}`, "MF-Original-URL: http://rebound.example/keys"];
  expect(await statusOf(lines)).toBe(200);
});

it.each(["localhost", "127.0.0.1", "[::1]", "parley.localhost"])(
  "a call to %s is answered, and a socket opens",
  async (name) => {
    const host = `Host: ${name}:${port}`;
    expect(await statusOf(["GET /chatbots HTTP/1.1", host, AUTHORIZATION])).toBe(200);
    expect(await statusOf([`GET /sessions/${sessionId}/ws HTTP/1.1`, host, AUTHORIZATION, ...UPGRADE])).toBe(101);
  },
);

describe("what is passed on", () => {
  it("is streamed as it comes", async () => {
    const body = JSON.stringify({ content: "one two three four five six" });
    const socket = connect(port, "127.0.0.1");
    const lines = [
      `POST /sessions/chat?sessionId=${sessionId} HTTP/1.1`,
      `Host: localhost:${port}`,
      AUTHORIZATION,
      "Accept: text/event-stream",
      "Content-Type: application/json",
      "Expect: 100-continue",
      `Content-Length: ${body.length}`,
    ];
    socket.setEncoding("latin1").write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    const chunks: string[] = [];
    for await (const chunk of socket) {
      chunks.push(chunk as string);
      if (String(chunk).includes("event: reply-end")) break;
    }
    socket.destroy();
    expect(chunks[0]).toMatch(/^HTTP\/1.1 100 Continue/);
    expect(chunks.filter((chunk) => chunk.includes("reply-delta")).length).toBeGreaterThan(3);
  });

  it("comes over a socket, in both directions", async () => {
    const url = `ws://127.0.0.1:${port}/sessions/${sessionId}/ws`;
    const socket = new WebSocket(url, { headers: asAdmin } as unknown as string[]);
    const texts: string[] = [];
    socket.addEventListener("message", ({ data }) => texts.push(String(data)));
    await once(socket, "open");
    socket.send("ping");
    await expect.poll(() => texts).toContain("pong");
    expect(texts[0]).toContain("session-snapshot");
    socket.close();
    await once(socket, "close");
  });

  it("has the body and the length that the caller gave, or none", async () => {
    const without = await call(port, "/chatbots", asAdmin, "POST");
    expect([without.status, without.body]).toEqual([400, expect.stringContaining("A JSON body is required")]);
    const chunked = [
      "POST /chatbots HTTP/1.1",
      `Host: localhost:${port}`,
      AUTHORIZATION,
      "Content-Type: application/json",
    ];
    const answer = await send([...chunked, "Transfer-Encoding: chunked", "", "2", "{}", "0"], "requestId");
    expect(answer).toContain("name: Field required");
    const head = await call(port, "/healthz", {}, "HEAD");
    expect([head.status, head.body]).toEqual([200, ""]);
  });

  it("is refused with 413 when it is too long, and the next call is answered", async () => {
    const lines = [
      "POST /chatbots HTTP/1.1",
      `Host: localhost:${port}`,
      AUTHORIZATION,
      "Content-Type: application/json",
    ];
    expect(await statusOf([...lines, "Content-Length: 4000000", "", "x".repeat(4_000_000)])).toBe(413);
    expect((await get(port, "/healthz")).status).toBe(200);
  });
});
