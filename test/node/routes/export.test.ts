/** Exports over real connections, where an error in the middle of a body is visible to the client. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

const ADMIN_KEY = "export-admin-key-0123456789abcdef";
const state = mkdtempSync(join(tmpdir(), "parley-export-"));
const setup = { config: "wrangler.toml", state, vars: { ADMIN_KEY, RATE_LIMITS: "off" } };
let server: Server | null = null;

/** The export must be larger than the buffers of the sockets on its way. Each prompt has two replies. */
const PROMPTS = 40;
const PROMPT_CHARACTERS = 100_000;

cleanUpAtExit();

beforeAll(async () => {
  await migrate(setup);
  server = await serve(setup);
  await call("POST", "/v1/llm_endpoints", { name: "echo", connector_type: "echo-connector" });
}, 120_000);

afterAll(async () => {
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: object) {
  const answer = await fetch(`${server?.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", prefer: "return=minimal" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** @returns the id of a session with a long log */
async function createLongSession(): Promise<string> {
  const created = await call("POST", "/v1/sessions", { name: "long", endpoints: ["echo", "echo"] });
  const { session }: { session: { session_id: string } } = await created.json();
  for (let n = 0; n < PROMPTS; n++) {
    await call("POST", `/v1/sessions/${session.session_id}/prompt`, { prompt: `${n} `.padEnd(PROMPT_CHARACTERS, "x") });
  }
  return session.session_id;
}

describe("an export over HTTP", () => {
  it("is complete", async () => {
    const id = await createLongSession();
    const answer = await call("GET", `/v1/sessions/${id}/export`);
    expect(answer.headers.get("content-encoding")).toBeNull();
    expect((await answer.text()).split("\n")).toHaveLength(PROMPTS * 2 + 1);
  });

  it("breaks with an error when its session is deleted meanwhile", async () => {
    const id = await createLongSession();
    const answer = await call("GET", `/v1/sessions/${id}/export`);
    await call("DELETE", `/v1/sessions/${id}`);
    await expect(answer.text()).rejects.toThrow();
  });
});
