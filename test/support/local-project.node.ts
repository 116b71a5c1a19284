/** `npm start` and `npx wrangler dev` in a copy of the project with a state of its own, and calls to them. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const ROOT = new URL("../../", import.meta.url).pathname;

const COPIED = ["src", "migrations", "wrangler.toml", "package.json", "tsconfig.json", ".env", ".gitignore"];

export interface LocalServer {
  child: ChildProcess;
  port: number;
  output: () => string;
}

/** A copy of the project, and the programs that run in it. Each is in a process group of its own. */
export function copyProject() {
  const folder = mkdtempSync(join(tmpdir(), "parley-"));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const running = new Set<ChildProcess>();

  function run(program: string, args: string[], port: number): LocalServer {
    const { PARLEY_IS_PREPARED: _, ...env } = process.env;
    const child = spawn(process.execPath, ["--no-warnings", join(folder, program), ...args], {
      cwd: folder,
      detached: true,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    running.add(child);
    return { child, port, output: () => output };
  }

  async function killGroup(child: ChildProcess): Promise<void> {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  return {
    folder,
    running,
    npmStart: (port: number, ...args: string[]) =>
      run("src/dev/start.ts", ["--port", String(port), "--inspector-port", "0", ...args], port),
    /** Leaves it to wrangler where its inspector listens. */
    npmStartWithInspector: (port: number) => run("src/dev/start.ts", ["--port", String(port)], port),
    wranglerDev: (port: number) =>
      run("node_modules/wrangler/bin/wrangler.js", ["dev", "--port", String(port), "--inspector-port", "0"], port),
    killGroup,
    killAll: async () => void (await Promise.all([...running].map(killGroup))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends exactly these headers: `fetch` sets `host` and `accept-encoding` by itself. */
export function call(port: number, path: string, headers: Record<string, string>, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString("latin1"),
        }),
      );
    });
    sent.on("error", reject).end();
  });
}

export const get = (port: number, path: string, headers: Record<string, string> = {}) =>
  call(port, path, headers, "GET");

export const asAdmin = { authorization: "Bearer parley-dev" };

/** Polls `/healthz` as a harness does. @returns the statuses before the first 200 */
export async function untilReady({ child, port, output }: LocalServer): Promise<number[]> {
  const statuses: number[] = [];
  while (child.exitCode === null) {
    const status = await get(port, "/healthz").then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return statuses;
    statuses.push(status);
    await sleep(50);
  }
  throw new Error(`The server did not start: ${output()}`);
}

export async function exitOf({ child, output }: LocalServer): Promise<string> {
  if (child.exitCode === null) await once(child, "exit");
  return output();
}
