/**
 * Runs the `curl` lines of the README, of the guides for callers and of the OpenAPI document, as printed, against a
 * started server. Only the ids between angle brackets are filled in.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiRoutes } from "../../../src/api-docs.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

const root = new URL("../../../", import.meta.url).pathname;

/** Guides whose examples work on a fresh local server. Those of an operator need an account. */
const GUIDES = [
  "README.md",
  "src/docs/api.md",
  "src/docs/clients.md",
  "src/docs/openai.md",
  "src/docs/streaming.md",
  "src/docs/access.md",
  "src/docs/conversations.md",
  "src/docs/comparisons.md",
  "src/docs/runs.md",
];

/** Examples that are shown because they fail, with a part of the answer. */
const REFUSED: [string, string][] = [["serchString", 'did you mean \\"searchString\\"?']];

/** What a stream that does not end by itself is read to. */
const FOLLOWED = /^event: session-snapshot\ndata: .+$/m;

const ids: Record<string, string> = {};
let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
  ids["chatbotId"] = (await server.parley.chatbots.list({ limit: 100 })).results[0]?.id ?? "";
  ids["clientId"] = (await server.parley.clients.list({ limit: 100 })).results[0]?.id ?? "";
}, 240_000);

afterAll(() => server.stop());

/** The commands of a document, in their order. A command goes on after a backslash. One that uses a variable comes with the line that sets it. */
const commandsOf = (file: string): string[] =>
  [...readFileSync(root + file, "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block
      .replace(/\\\n\s*/g, " ")
      .replace(/^#.*\n/gm, "")
      .replace(/^([A-Z]+)=(\$\(.+\))\n/gm, '$1=$2 && [ -n "$$$1" ] && ')
      .split("\n")
      .filter((line) => /^(?:curl |[A-Z]+=\$\()/.test(line)),
  );

/** A comparison that was made from a chat, and one whose turns were put. */
async function makeBridge(id: string): Promise<void> {
  await server.parley.sessions.chat(id, { content: "Hello" });
  const fields = { name: "Example", endpoints: ["echo"], from_session: id };
  const create = async () => (await asJson("POST", "/v1/sessions", fields))["session"] as Record<string, unknown>;
  ids["replay_id"] = String((await create())["session_id"]);
  const replayed = await create();
  ids["adopt_id"] = String(replayed["session_id"]);
  ids["adopt_chat"] = String((replayed["chat_ids"] as string[])[1]);
  await asJson("POST", `/v1/sessions/${ids["adopt_id"]}/replay`, {});
}

async function asJson(method: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" };
  const answer = await fetch(server.address + path, { method, headers, body: JSON.stringify(body) });
  return answer.json<Record<string, unknown>>();
}

interface Printed {
  /** `null` when the command was stopped because it printed what was awaited. */
  exit: number | null;
  text: string;
}

/** Runs a line of a shell as a reader would, with new sessions for its ids. */
async function run(line: string): Promise<Printed> {
  const { parley } = server;
  const { chatbotId = "", clientId = "" } = ids;
  ids["id"] = (await parley.sessions.create({ chatbotId, clientId, title: "Example" })).id;
  // A greeting, a prompt and a reply: what examples of variants are about.
  if (/\/(messages\/\d|branch)|from_session/.test(line)) await parley.sessions.chat(ids["id"], { content: "Hello" });
  if (/DELETE .*\/feedback/.test(line)) await parley.sessions.setFeedback(ids["id"], 3, { rating: -1 });
  ids["session_id"] = (await parley.comparisons.create({ name: "Example", endpoints: ["echo", "eliza"] })).session_id;
  if (/<replay_id>|<adopt_/.test(line)) await makeBridge(ids["id"]);
  const filled = line.replace(/<(\w+)>/g, (placeholder, name: string) => ids[name] ?? placeholder);
  const given = { PARLEY: server.address, KEY: server.key, AUTH: `authorization: Bearer ${server.key}` };
  const shell = spawn("bash", ["-c", `curl() { command curl -sS --fail-with-body "$@"; }\n${filled}`], {
    cwd: server.state,
    // A process group of its own, so that curl is stopped with its shell.
    detached: true,
    env: { ...process.env, ...given, JSON: "content-type: application/json" },
  });
  let text = "";
  const exit = await new Promise<number | null>((resolve) => {
    const take = (bytes: Buffer) => {
      text += bytes.toString();
      if (filled.includes("/events") && FOLLOWED.test(text) && shell.pid !== undefined) process.kill(-shell.pid);
    };
    shell.stdout.on("data", take);
    shell.stderr.on("data", take);
    shell.on("close", resolve);
  });
  return { exit, text };
}

describe("the curl lines of the guides", () => {
  const found = GUIDES.map((file) => ({ file, commands: commandsOf(file) }));

  it.each(found)("are found in $file", ({ commands }) => {
    expect(commands.length).toBeGreaterThan(0);
  });

  // What is in two guides is run once: a name can be taken only once.
  it.each([...new Set(found.flatMap(({ commands }) => commands))])("%s", async (command) => {
    const { exit, text } = await run(command);
    const refused = REFUSED.find(([part]) => command.includes(part));
    if (refused) expect(text).toContain(refused[1]);
    else expect([exit, text]).toEqual([command.includes("/events") ? null : 0, expect.any(String)]);
  });
});

describe("the curl lines of routes that stream", () => {
  const streams = apiRoutes.flatMap(({ operation }) => operation.response.events ?? []);

  it("are found", () => {
    expect(streams.length).toBeGreaterThanOrEqual(4);
  });

  it.each(streams.map((stream) => [stream.curl, stream] as const))("%s", async (curl, { examples }) => {
    const { exit, text } = await run(curl);
    expect([exit, text]).toEqual([curl.includes("/events") ? null : 0, expect.stringMatching(/^event: /m)]);
    const sent = [...text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
    const shown = Object.values(examples).map(({ type }) => type);
    expect(shown).toEqual(expect.arrayContaining(sent));
  });
});
