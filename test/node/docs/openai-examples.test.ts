/** Runs the JavaScript of the guide to OpenAI's clients, as printed, against a started server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { examplesOf } from "../../support/guides.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";
import { runExample } from "../../support/run-example.node.ts";

const examples = examplesOf("openai.md", "js");
let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

const run = (example = ""): Promise<string> =>
  runExample(example, { PARLEY: server.parley.address, CUSTOMER: "customer-1" });

it("asks and streams without a session", async () => {
  expect(await run(examples[0])).toMatch(/adventurous[^]*How do you do/);
});

it("keeps a conversation in a session", async () => {
  const { parley } = server;
  await parley.call("PUT", "/clients/by-external-id/customer-1", { name: "Ada" });
  const [id = "", ...reply] = (await run(examples[1])).trim().split(" ");
  expect(reply.join(" ")).toMatch(/\w/);
  const { data } = await parley.call<{ data: { messages: { role: string }[] } }>("GET", `/sessions/${id}`);
  expect(data.messages.filter(({ role }) => role === "user")).toHaveLength(2);
});
