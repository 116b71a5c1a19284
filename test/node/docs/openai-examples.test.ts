/** Runs the JavaScript of the guide to OpenAI's clients, as printed, against a started server. */
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
const guide = readFileSync(`${root}src/docs/openai.md`, "utf8");
const examples = [...guide.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);

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

/** @returns what the example prints */
async function run(example: string): Promise<string> {
  const file = join(folder, "example.mjs");
  writeFileSync(file, example);
  const env = { ...process.env, PARLEY: parley.address, CUSTOMER: "customer-1" };
  return (await promisify(execFile)(process.execPath, [file], { env })).stdout;
}

it("asks and streams without a session", async () => {
  expect(await run(examples[0] ?? "")).toMatch(/adventurous[^]*How do you do/);
});

it("keeps a conversation in a session", async () => {
  await parley.call("PUT", "/clients/by-external-id/customer-1", { name: "Ada" });
  const [id = "", ...reply] = (await run(examples[1] ?? "")).trim().split(" ");
  expect(reply.join(" ")).toMatch(/\w/);
  const { data } = await parley.call<{ data: { messages: { role: string }[] } }>("GET", `/sessions/${id}`);
  expect(data.messages.filter(({ role }) => role === "user")).toHaveLength(2);
});
