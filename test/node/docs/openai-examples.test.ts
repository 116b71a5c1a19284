/** Runs the JavaScript of the guide to OpenAI's API, as printed, against a started server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { examplesOf } from "../../support/guides.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";
import { runExample } from "../../support/run-example.node.ts";

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

it("goes on behind a stored response, and deletes one", async () => {
  const [example = ""] = examplesOf("openai.md", "js");
  const output = await runExample(example, { PARLEY: server.address });
  expect(output).toMatch(/^resp_[0-9a-f]{48} true\n.+\n.+\n404\n$/);
});
