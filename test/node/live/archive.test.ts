/**
 * The archive on a started server that is killed while logs move there, and in a backup: every message is there
 * afterwards, once and in order.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getPlatformProxy } from "wrangler";
import { ParleyClient } from "../../../src/client/index.ts";
import { readBackup } from "../../../src/dev/backup/read-backup.ts";
import { writeBackup } from "../../../src/dev/backup/write-backup.ts";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, ROOT, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

/** How often the server is killed. */
const KILLS = Number(process.env["KILLS"] ?? 2);

const SESSIONS = 8;
const ADMIN_KEY = "archive-admin-key-0123456789abcdef01";

const folder = mkdtempSync(join(tmpdir(), "parley-archive-"));
const config = join(folder, "wrangler.toml");
const states = { original: join(folder, "original"), copy: join(folder, "copy") };
const setupOf = (state: string) => ({
  config,
  state,
  vars: { ADMIN_KEY, RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1", ARCHIVE_AFTER_DAYS: "0" },
});
let server: Server | null = null;

cleanUpAtExit();

/** `wrangler.toml` with the archive, as its guide says to turn it on. */
function writeConfig(): void {
  const text = readFileSync(join(ROOT, "wrangler.toml"), "utf8")
    .replace(/^# (\[\[r2_buckets\]\]|binding = "ARCHIVE"|bucket_name = .*)$/gm, "$1")
    .replace(
      /^(main|migrations_dir|directory|watch_dir) = "(.*)"$/gm,
      (_, name: string, path: string) => `${name} = "${join(ROOT, path)}"`,
    )
    .replace("[build]", `[build]\ncwd = "${ROOT}"`);
  expect(text).toMatch(/^\[\[r2_buckets\]\]\nbinding = "ARCHIVE"$/m);
  writeFileSync(config, text);
}

beforeAll(async () => {
  writeConfig();
  await migrate(setupOf(states.original));
  server = await serve(setupOf(states.original));
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${server?.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Has the server run what cron starts. */
const runCron = () => fetch(`${server?.origin}/cdn-cgi/handler/scheduled`);

async function contentsOf(id: string): Promise<string[]> {
  const { data } = await call<{ data: { messages: { content: string }[] } }>(
    "GET",
    `/sessions/${id}/messages?limit=1000`,
  );
  return data.messages.map(({ content }) => content);
}

const append = (id: string, content: string) =>
  call("POST", `/sessions/message?sessionId=${id}`, { message: { role: "user", content } });

const expected = new Map<string, string[]>();

async function createSessions(): Promise<void> {
  const parley = new ParleyClient({ url: server?.origin ?? "", token: ADMIN_KEY });
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
  const { id: chatbotId } = await parley.chatbots.create({ name: "Echo", endpointId: "echo" });
  const { id: clientId } = await parley.clients.create({ name: "Ada" });
  for (let n = 0; n < SESSIONS; n++)
    expected.set((await parley.sessions.create({ chatbotId, clientId, title: "archived" })).id, []);
}

async function appendToAll(text: string): Promise<void> {
  for (const [id, contents] of expected) {
    await append(id, text);
    contents.push(text);
  }
}

async function audit(): Promise<void> {
  for (const [id, contents] of expected) expect(await contentsOf(id)).toEqual(contents);
  const { data } = await call<{ data: { results: { id: string; messages: { content: string }[] }[] } }>(
    "GET",
    "/sessions?limit=100",
  );
  for (const { id, messages } of data.results) expect(messages.map(({ content }) => content)).toEqual(expected.get(id));
}

/** The database and the bucket of a state, while no server uses them. */
async function withStores<T>(state: string, use: (db: D1Database, archive: R2Bucket) => Promise<T>): Promise<T> {
  const { env, dispose } = await getPlatformProxy<{ DB: D1Database; ARCHIVE: R2Bucket }>({
    configPath: storesConfig(),
    persist: { path: join(state, "v3") },
  });
  try {
    return await use(env.DB, env.ARCHIVE);
  } finally {
    await dispose();
  }
}

/** Only the stores: the objects cannot run outside the Worker. */
function storesConfig(): string {
  const path = join(folder, "stores.json");
  const d1 = { binding: "DB", database_name: "parley", database_id: "00000000-0000-0000-0000-000000000000" };
  const r2 = { binding: "ARCHIVE", bucket_name: "parley-archive" };
  writeFileSync(path, JSON.stringify({ compatibility_date: "2026-10-01", d1_databases: [d1], r2_buckets: [r2] }));
  return path;
}

const countMessages = async (db: D1Database) =>
  Number(await db.prepare("SELECT count(*) AS n FROM messages").first("n"));

describe("a server with an archive", () => {
  it(
    `keeps every message, once and in order, when it is killed ${KILLS} times while logs move`,
    async () => {
      await createSessions();
      for (let kill = 0; kill < KILLS; kill++) {
        for (const text of ["a", "b", "漢".repeat(5_000)]) await appendToAll(`${kill} ${text}`);
        await server?.kill();
        // Its objects are not in use any more.
        server = await serve(setupOf(states.original));
        const running = runCron().catch(() => null);
        const after = Math.random() * 400;
        await sleep(after);
        await server.kill();
        await running;
        server = await serve(setupOf(states.original));
        await audit().catch((error: unknown) => {
          throw new Error(`Killed after ${after.toFixed(0)} ms, for the ${kill + 1}th time`, { cause: error });
        });
      }
      await server?.kill();
      server = await serve(setupOf(states.original));
      expect((await runCron()).status).toBe(200);
      await audit();
    },
    120_000 + KILLS * 60_000,
  );

  it("has its archive in a backup, and goes on after a restore", async () => {
    await server?.stop();
    server = null;
    const files = join(folder, "files");
    await withStores(states.original, async (db, archive) => {
      expect(await countMessages(db)).toBe(0);
      await expect(writeBackup(db, join(folder, "refused"), () => {})).rejects.toThrow("no [[r2_buckets]]");
      await writeBackup(db, files, () => {}, archive);
    });
    expect(readdirSync(join(files, "archive"))).toHaveLength(SESSIONS);
    await migrate(setupOf(states.copy));
    await withStores(states.copy, async (db, archive) => {
      await expect(readBackup(db, files, () => {})).rejects.toThrow("no [[r2_buckets]]");
      await readBackup(db, files, () => {}, archive);
      await readBackup(db, files, () => {}, archive);
    });
    server = await serve(setupOf(states.copy));
    await audit();
    await appendToAll("after the restore");
    await audit();
  });
});
