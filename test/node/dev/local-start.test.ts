/** `npm start` and `npx wrangler dev`, as a newcomer runs them, in a copy of the project with a state of its own. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { openLocalDatabase } from "../../../src/dev/database.ts";
import { isFree } from "../../../src/dev/listening-address.ts";
import {
  asAdmin,
  call,
  copyProject,
  exitOf,
  freePort,
  get,
  ROOT,
  untilReady,
} from "../../support/local-project.node.ts";

const {
  folder: project,
  npmStart,
  npmStartWithInspector,
  wranglerDev,
  running,
  killAll,
  killGroup,
  remove,
} = copyProject();

afterEach(killAll);

afterAll(remove);

interface Seeded {
  id: string;
  params: { tokens_per_second?: number };
}

describe("npx wrangler dev", () => {
  it("prepares itself: when it is ready there are tables, a key and chatbots, and it builds once", async () => {
    const server = wranglerDev(await freePort());
    await untilReady(server);
    const chatbots = await get(server.port, "/chatbots", asAdmin);
    expect(chatbots.status).toBe(200);
    expect(chatbots.body).toContain("Eliza");
    expect((await get(server.port, "/cdn-cgi/local/explorer")).status).toBe(404);
    expect(server.output().match(/Running: /g)).toHaveLength(1);
    expect(server.output()).not.toContain("restarting build");
    // A page at a name of its own that leads here. With this header `wrangler dev` gives the Worker another URL and host.
    const ownUrl = { "mf-original-url": `http://127.0.0.1:${server.port}/keys` };
    const host = `rebound.example:${server.port}`;
    const page = { ...asAdmin, host, origin: `http://${host}`, ...ownUrl };
    const refused = await call(server.port, "/keys", page, "POST");
    expect([refused.status, refused.body]).toEqual([403, expect.stringContaining("origin_refused")]);
    // Without the origin it is a call like another: this shows that the header still does what the check is for.
    const { origin: _, ...program } = page;
    expect((await call(server.port, "/keys", program, "POST")).status).toBe(400);
    expect(readFileSync(join(project, ".dev.vars"), "utf8")).toContain('LOCAL="true"');
  });

  it("prepares nothing when it deploys or checks types", () => {
    rmSync(join(project, ".dev.vars"), { force: true });
    rmSync(join(project, ".wrangler"), { recursive: true, force: true });
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { types: string } };
    const types = scripts.types.split(" && ")[0]?.split(" ").slice(1) ?? [];
    for (const args of [["deploy", "--dry-run", "--outdir", join(project, "out")], types]) {
      const program = join(project, "node_modules/wrangler/bin/wrangler.js");
      const { status, stdout } = spawnSync(process.execPath, [program, ...args], { cwd: project, encoding: "utf8" });
      expect([status, stdout]).toEqual([0, expect.stringContaining("prepare.ts")]);
    }
    expect(existsSync(join(project, ".dev.vars"))).toBe(false);
    expect(existsSync(join(project, ".wrangler/state"))).toBe(false);
  });
});

describe("npm start", () => {
  it("is ready only with its first chatbots, and again right after kill -9 of the whole group", async () => {
    const port = await freePort();
    const first = npmStart(port);
    await untilReady(first);
    expect((await get(port, "/chatbots", asAdmin)).body).toContain("Eliza");
    await killGroup(first.child);
    const second = npmStart(port);
    await untilReady(second);
    const endpoints = JSON.parse((await get(port, "/v1/llm_endpoints", asAdmin)).body) as Seeded[];
    // With a speed, so that the first streamed reply shows what streaming is.
    const speeds = endpoints.flatMap(({ id, params }) => (id === "eliza" ? [params.tokens_per_second] : []));
    expect(speeds).toEqual([expect.any(Number)]);
    expect((await get(port, "/cdn-cgi/local/explorer")).status).toBe(404);

    // Neither a second server nor a plain `wrangler dev` may use the same folder.
    expect(await exitOf(npmStart(await freePort()))).toContain("Another Parley uses the state folder");
    const plain = wranglerDev(await freePort());
    while (!/Another Parley uses|Ready on/.test(plain.output())) await sleep(50);
    expect(plain.output()).toContain("Another Parley uses");
    expect(plain.output()).not.toContain("Ready on");
  });

  it("does not compress /v1, and answers only to loopback names", async () => {
    const port = await freePort();
    const server = npmStart(port);
    await untilReady(server);
    const endpoints = await get(port, "/v1/llm_endpoints", { ...asAdmin, "accept-encoding": "gzip, br" });
    expect(endpoints.headers["content-encoding"]).toBe("identity");
    expect(JSON.parse(endpoints.body)).toHaveLength(2);
    // Other routes are compressed as the caller likes.
    const document = await get(port, "/openapi.json", { "accept-encoding": "gzip" });
    expect(document.headers["content-encoding"]).toBe("gzip");

    const statusFor = async (host: string) => (await get(port, "/chatbots", { ...asAdmin, host })).status;
    expect(await Promise.all([`localhost:${port}`, `[::1]:${port}`, "parley.localhost"].map(statusFor))).toEqual([
      200, 200, 200,
    ]);
    expect(await Promise.all([`rebound.example:${port}`, "127.0.0.1.nip.io", "10.0.0.1"].map(statusFor))).toEqual([
      403, 403, 403,
    ]);
  });

  // Tries again: another wrangler of this machine may take the port meanwhile.
  it("listens on the port that wrangler would take for its inspector", { retry: 2 }, async () => {
    let port = 9229;
    while (!(await isFree("127.0.0.1", port))) port += 1;
    const server = npmStartWithInspector(port);
    await untilReady(server);
    expect((await get(port, "/chatbots", asAdmin)).status).toBe(200);
  });

  it("listens for other machines only with an admin key of its own", async () => {
    const refused = npmStart(await freePort(), "--ip", "0.0.0.0");
    expect(await exitOf(refused)).toContain("everybody knows its admin key");
    expect(refused.child.exitCode).toBe(1);

    const port = await freePort();
    const server = npmStart(port, "--ip", "0.0.0.0", "--var", "ADMIN_KEY:a-key-of-my-own-that-nobody-else-knows");
    await untilReady(server);
    const host = "my-machine.example";
    expect((await get(port, "/chatbots", { ...asAdmin, host })).status).toBe(401);
    const own = { authorization: "Bearer a-key-of-my-own-that-nobody-else-knows", host };
    expect((await get(port, "/chatbots", own)).status).toBe(200);
  });

  it("says what to do with a database that other migrations made", async () => {
    const state = join(project, "old-state");
    const { db, close } = await openLocalDatabase(state);
    await db.prepare("CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT UNIQUE)").run();
    await db.prepare("INSERT INTO d1_migrations (name) VALUES ('0000_of-another-history.sql')").run();
    await close();
    const server = npmStart(await freePort(), "--persist-to", state);
    const output = await exitOf(server);
    expect(output).toContain(`The local database in ${state} was made by another version of Parley`);
    expect(output).toContain("Remove that folder");
    expect(output).not.toContain("SQLITE");
  });

  it("says so too when a migration has another text than the one that was applied", async () => {
    const state = join(project, "state-of-other-texts");
    mkdirSync(join(state, "v3/d1"), { recursive: true });
    writeFileSync(join(state, "prepared"), "hash-of-wrangler.toml\n0000_tables.sql hash-of-another-text");
    const output = await exitOf(npmStart(await freePort(), "--persist-to", state));
    expect(output).toContain(`The local database in ${state} was made by another version of Parley`);
  });
});

describe("the lock of a state folder", () => {
  it("ends with its process, also when nobody waits for the process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-"));
    const lock = `
      import { lockState } from ${JSON.stringify(join(ROOT, "src/dev/state-lock.ts"))};
      lockState(${JSON.stringify(folder)});
      console.log(process.pid);
      setInterval(() => {}, 1000);`;
    const node = `${process.execPath} --no-warnings --input-type=module --eval '${lock}'`;
    // The shell becomes `sleep`, which waits for no child: a killed one stays as a zombie.
    const parent = spawn("sh", ["-c", `${node} & exec sleep 1000`], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    running.add(parent);
    const [printed] = (await once(parent.stdout, "data")) as [Buffer];
    const owner = Number(printed.toString());
    const { lockState } = await import("../../../src/dev/state-lock.ts");
    expect(() => lockState(folder)).toThrow("Another Parley");

    process.kill(owner, "SIGKILL");
    await sleep(500);
    // Signal 0 reaches a zombie: its id alone does not show that it has ended.
    expect(process.kill(owner, 0)).toBe(true);
    const release = lockState(folder);
    release();
    lockState(folder)();
    rmSync(folder, { recursive: true });
  });
});
