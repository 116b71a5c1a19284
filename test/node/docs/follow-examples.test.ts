/** Runs the examples of the streaming guide, as printed, against a started server. */
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examplesOf } from "../../support/guides.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

const root = new URL("../../../", import.meta.url).pathname;
const examples = examplesOf("streaming.md", "js");
let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

/** Runs a program until its output matches. */
async function runUntil(code: string, awaited: RegExp): Promise<string> {
  const program = spawn(process.execPath, ["--input-type=module", "--eval", code], { cwd: root });
  let printed = "";
  await new Promise<void>((resolve) => {
    const take = (text: Buffer) => {
      printed += text.toString();
      if (awaited.test(printed)) program.kill();
    };
    program.stdout.on("data", take);
    program.stderr.on("data", take);
    program.on("close", () => resolve());
  });
  return printed;
}

async function createSession(): Promise<string> {
  const { parley } = server;
  const [chatbot] = (await parley.chatbots.list()).results;
  const [client] = (await parley.clients.list()).results;
  return (await parley.sessions.create({ chatbotId: chatbot?.id ?? "", clientId: client?.id ?? "", title: "Example" }))
    .id;
}

describe("the examples of the streaming guide", () => {
  it("exist for every kind of client", () => {
    expect(examples).toHaveLength(4);
  });

  it.each(examples.map((code) => [/tickets|new \w+\(|fetch/.exec(code)?.[0] ?? "", code]))(
    "run as printed: %s",
    async (_, code) => {
      const id = await createSession();
      const given = `const PARLEY = "${server.address}", KEY = "${server.key}", id = "${id}";\n`;
      const takesPart = code.includes("content:");
      const printed = await runUntil(
        given + code,
        takesPart ? /'turn-ended'/ : /'(message-appended|session-snapshot)'/,
      );
      expect(printed).toContain(takesPart ? "Hello" : id);
    },
  );
});
