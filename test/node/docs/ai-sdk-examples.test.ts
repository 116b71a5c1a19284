/** Runs the JavaScript of the guide to the AI SDK, as printed, against a started server. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startServer } from "../../../src/dev/server.ts";
import { readSettings } from "../../../src/dev/settings.ts";
import type { ParleyClient } from "../../../src/client/parley-client.ts";

const root = new URL("../../../", import.meta.url).pathname;
const guide = readFileSync(`${root}src/docs/ai-sdk.md`, "utf8");
const [example = ""] = [...guide.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);

const state = mkdtempSync(join(tmpdir(), "parley-"));
// In the project, so that the example finds its packages.
const folder = mkdtempSync(join(root, "test/node/docs/example-"));
const stop = new AbortController();
let parley: ParleyClient;
let ended: Promise<number>;

beforeAll(async () => {
  const settings = readSettings(["--port", "0", "--inspector-port", "0", "--persist-to", state]);
  ({ parley, ended } = await startServer(settings, "hidden", stop.signal));
}, 240_000);

afterAll(async () => {
  stop.abort();
  await ended;
  for (const path of [state, folder]) rmSync(path, { recursive: true });
});

interface Listed {
  data: { results: { id: string }[] };
}

const firstOf = async (list: string): Promise<string> =>
  (await parley.call<Listed>("GET", list)).data.results[0]?.id ?? "";

it("sends a message and reads the reply", async () => {
  const session = await parley.call<{ data: { id: string } }>("POST", "/sessions", {
    chatbotId: await firstOf("/chatbots"),
    clientId: await firstOf("/clients"),
  });
  const file = join(folder, "example.mjs");
  writeFileSync(file, example);
  const env = { ...process.env, PARLEY: parley.address, SESSION: session.data.id };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
  expect(stdout).toMatch(/^[0-9a-f]{24} .*\w/);
  const messages = await parley.call<{ id: string }[]>("GET", `/ui/chat/${session.data.id}`);
  expect(messages.at(-1)?.id).toBe(stdout.split(" ")[0]);
});
