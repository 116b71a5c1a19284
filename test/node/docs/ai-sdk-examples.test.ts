/** Runs the JavaScript of the guide to the AI SDK, as printed, against a started server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { examplesOf } from "../../support/guides.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";
import { runExample } from "../../support/run-example.node.ts";

const [example = ""] = examplesOf("ai-sdk.md", "js");
let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

it("sends a message and reads the reply", async () => {
  const { parley } = server;
  const [chatbots, clients] = await Promise.all([parley.chatbots.list(), parley.clients.list()]);
  const owners = { chatbotId: chatbots.results[0]?.id ?? "", clientId: clients.results[0]?.id ?? "" };
  const { id } = await parley.sessions.create({ ...owners, title: "Example" });
  const printed = await runExample(example, { PARLEY: server.address, SESSION: id });
  expect(printed).toMatch(/^[0-9a-f]{24} .*\w/);
  const messages = await parley.connection.call<{ id: string }[]>({ method: "GET", path: `/ui/chat/${id}` });
  expect(messages.at(-1)?.id).toBe(printed.split(" ")[0]);
});
