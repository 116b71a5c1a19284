/** Runs the JavaScript of the guide to clients, as printed, against a started server, and reads its other examples. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examplesOf } from "../../support/guides.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";
import { runExample } from "../../support/run-example.node.ts";

const examples = examplesOf("clients.md", "js");
/** The example of a client, by the package that it imports. */
const exampleOf = (name: string, index = 0): string =>
  examples.filter((code) => code.includes(`from "${name}"`))[index] ?? "";

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

const run = (example: string): Promise<string> => runExample(example, { PARLEY: server.address });

describe("OpenAI's package", () => {
  it("asks and streams without a session", async () => {
    expect(await run(exampleOf("openai"))).toMatch(/adventurous[^]*How do you do/);
  });

  it("keeps a conversation in a session", async () => {
    const { parley } = server;
    const [id = "", ...reply] = (await run(exampleOf("openai", 1))).trim().split(" ");
    expect(reply.join(" ")).toMatch(/\w/);
    const { data } = await parley.connection.call<{ data: { messages: { role: string }[] } }>({
      method: "GET",
      path: `/sessions/${id}`,
    });
    expect(data.messages.filter(({ role }) => role === "user")).toHaveLength(2);
  });

  it("makes a session with a key", async () => {
    expect(await run(exampleOf("openai", 2))).toMatch(/^[0-9a-f]{24} .*\w/);
  });
});

describe("the AI SDK's providers", () => {
  it("ask and stream", async () => {
    expect(await run(exampleOf("@ai-sdk/openai-compatible"))).toMatch(/adventurous\W+\d+\n.*How do you do/);
  });
});
