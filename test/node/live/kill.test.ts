/** Kills a started server while it is written to. What it acknowledged must be there after the next start, once and in order. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

/** How often the server is killed. `KILLS=50 npm run test:run -- kill` runs longer. */
const KILLS = Number(process.env["KILLS"] ?? 2);

const WRITERS = 6;
const ADMIN_KEY = "kill-admin-key-0123456789abcdef01";
const state = mkdtempSync(join(tmpdir(), "parley-kill-"));
const setup = { config: "wrangler.toml", state, vars: { ADMIN_KEY, RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1" } };
let server: Server | null = null;

cleanUpAtExit();

afterAll(async () => {
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

async function call<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`${server?.origin}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      "content-type": "application/json",
      prefer: "return=minimal",
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Sends one message after another to its own session, each with an idempotency key, and repeats it until it is answered. */
class Writer {
  readonly sent: string[] = [];
  readonly #id: string;
  /** The message that has no answer yet. */
  #open: string | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  async writeUntilKilled(): Promise<void> {
    try {
      for (;;) {
        this.#open ??= `${this.sent.length}: is anyone there at all, or do I talk to myself?`;
        await this.#send(this.#open);
        this.sent.push(this.#open);
        this.#open = null;
      }
    } catch {
      // The server is gone. The open message is sent again to the next one.
    }
  }

  /** Every third message is a chat, whose reply takes a while. */
  #send(content: string): Promise<unknown> {
    const key = { "idempotency-key": content.replaceAll(/\W/g, "") };
    return this.sent.length % 3 === 2
      ? call("POST", `/sessions/chat?sessionId=${this.#id}`, { content }, key)
      : call("POST", `/sessions/message?sessionId=${this.#id}`, { message: { role: "user", content } }, key);
  }

  async audit(): Promise<void> {
    const contents = await this.#readContents();
    // The open message may have arrived or not.
    expect(contents.slice(0, this.sent.length)).toEqual(this.sent);
    expect(contents.slice(this.sent.length)).toEqual(contents.length > this.sent.length ? [this.#open] : []);
  }

  async auditList(): Promise<void> {
    const contents = await this.#readContents();
    const { data } = await call<{
      data: { results: { id: string; messageCount: number; messages: LoggedMessage[] }[] };
    }>("GET", "/sessions?limit=100");
    const listed = data.results.find(({ id }) => id === this.#id)?.messages.filter(({ role }) => role === "user") ?? [];
    expect(listed.map(({ content }) => content)).toEqual(contents.slice(-listed.length));
    expect(listed.at(-1)?.content).toBe(contents.at(-1));
  }

  async #readContents(): Promise<string[]> {
    const contents: string[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: { data: { messages: LoggedMessage[]; nextAfter?: number } } = await call(
        "GET",
        `/sessions/${this.#id}/messages?after=${after}&limit=1000`,
      );
      contents.push(...page.data.messages.filter(({ role }) => role === "user").map(({ content }) => content));
      after = page.data.nextAfter;
    }
    return contents;
  }
}

interface LoggedMessage {
  role: string;
  content: string;
}

async function createWriters(parley: ParleyClient): Promise<Writer[]> {
  const params = { tokens_per_second: 60 };
  await parley.endpoints.create({ name: "slow", connector_type: "echo-connector", params });
  const { id: chatbotId } = await parley.chatbots.create({ name: "Slow", endpointId: "slow" });
  const { id: clientId } = await parley.clients.create({ name: "Ada" });
  const createWriter = async () =>
    new Writer((await parley.sessions.create({ chatbotId, clientId, title: "killed" })).id);
  return Promise.all(Array.from({ length: WRITERS }, createWriter));
}

it(
  `keeps every acknowledged message, once and in order, when it is killed ${KILLS} times`,
  async () => {
    await migrate(setup);
    server = await serve(setup);
    const writers = await createWriters(new ParleyClient({ url: server.origin, token: ADMIN_KEY }));
    for (let kill = 0; kill < KILLS; kill++) {
      const writing = writers.map((writer) => writer.writeUntilKilled());
      const after = 200 + Math.random() * 1_500;
      await sleep(after);
      await server.kill();
      await Promise.all(writing);
      server = await serve(setup);
      for (const writer of writers)
        await writer.audit().catch((error: unknown) => {
          throw new Error(`Killed after ${after.toFixed(0)} ms, for the ${kill + 1}th time`, { cause: error });
        });
    }
    expect(writers.reduce((sum, { sent }) => sum + sent.length, 0)).toBeGreaterThan(10 * KILLS);
    // Alarms, or the next append, bring the list up to date.
    const writing = writers.map((writer) => writer.writeUntilKilled());
    await sleep(500);
    const last = server;
    server = { ...last, origin: "http://127.0.0.1:9" };
    await Promise.all(writing);
    server = last;
    await sleep(500);
    for (const writer of writers) await writer.auditList();
  },
  60_000 + KILLS * 20_000,
);
