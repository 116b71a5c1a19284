/** Runs the examples of the streaming guide, as printed, against a started server. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ParleyClient } from "../../../src/client/parley-client.ts";
import { startServer } from "../../../src/dev/server.ts";
import { readSettings } from "../../../src/dev/settings.ts";

const root = new URL("../../../", import.meta.url).pathname;
const guide = readFileSync(`${root}src/docs/streaming.md`, "utf8");
const examples = [...guide.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

const state = mkdtempSync(join(tmpdir(), "parley-"));
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
  rmSync(state, { recursive: true });
});

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
  const [chatbot] = await parley.listChatbots();
  const [client] = await parley.listClients();
  return (await parley.createSession({ chatbotId: chatbot?.id ?? "", clientId: client?.id ?? "", title: "Example" }))
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
      const given = `const PARLEY = "${parley.address}", KEY = "${parley.key}", id = "${id}";\n`;
      const takesPart = code.includes("content:");
      const printed = await runUntil(
        given + code,
        takesPart ? /'turn-ended'/ : /'(message-appended|session-snapshot)'/,
      );
      expect(printed).toContain(takesPart ? "Hello" : id);
    },
  );
});
