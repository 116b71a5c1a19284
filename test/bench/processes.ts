import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a process may take to end by itself when asked to. */
const END_MS = 5_000;

/** How much of a process's output is kept, in characters. */
const KEPT_OUTPUT = 10_000;

/** Leaders of process groups that may still run. */
const leaders = new Set<number>();

/** A process that leads a group of its own, so that whatever it starts ends with it. */
export interface Running {
  /** The exit code; `null` when it was killed. */
  exited: Promise<number | null>;
  hasExited: () => boolean;
  /** The newest of what it wrote to stdout and stderr. */
  output: () => string;
  /** What each process of the group that has a name holds of the memory, in MB; nothing where there is no `/proc`. */
  residentMb: (name: string) => number[];
  /** Ends the whole group. */
  end: () => Promise<void>;
  /** Ends the whole group at once, in the middle of whatever it does. */
  kill: () => Promise<void>;
}

/** Starts this Node with a script and arguments. */
export function startNode(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Running {
  const leader = spawn(process.execPath, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const pid = leader.pid;
  if (pid === undefined) throw new Error(`Could not start ${args.join(" ")}`);
  leaders.add(pid);
  let output = "";
  const keep = (text: Buffer) => {
    output = (output + text.toString()).slice(-KEPT_OUTPUT);
  };
  leader.stdout.on("data", keep);
  leader.stderr.on("data", keep);
  const exited = new Promise<number | null>((resolve) => leader.once("close", resolve));
  const kill = async () => {
    signalGroup(pid, "SIGKILL");
    await exited;
    leaders.delete(pid);
  };
  return {
    exited,
    hasExited: () => leader.exitCode !== null || leader.signalCode !== null,
    output: () => output,
    residentMb: (name) => residentMb(pid, name),
    async end() {
      signalGroup(pid, "SIGTERM");
      await Promise.race([exited, sleep(END_MS, null, { ref: false })]);
      await kill();
    },
    kill,
  };
}

/** Runs this Node to its end. @returns what it wrote; throws that when it fails */
export async function runNode(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  const running = startNode(args, options);
  const code = await running.exited;
  await running.end();
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${running.output()}`);
  return running.output();
}

/** An empty directory, on a memory disk where there is one: a commit then costs no disk write. */
export function scratchDirectory(): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = mkdtempSync(join(parent, "parley-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Sees to it that nothing started here outlives this process, whatever ends it. Call it before anything is started. */
export function cleanUpAtExit(): void {
  process.once("exit", () => {
    for (const pid of leaders) signalGroup(pid, "SIGKILL");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Not once: npm passes on what the terminal has sent already, and a second one would end this before it is done.
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html and proc_pid_status.5.html */
function residentMb(leader: number, name: string): number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .toSorted((one, other) => Number(one) - Number(other))
    .flatMap((pid) => {
      const [, command, group] = /^\d+ \((.*)\) \S+ \d+ (\d+)/s.exec(readQuietly(`/proc/${pid}/stat`)) ?? [];
      if (command !== name || Number(group) !== leader) return [];
      const kb = /^VmRSS:\s*(\d+) kB$/m.exec(readQuietly(`/proc/${pid}/status`))?.[1];
      return kb === undefined ? [] : [Number(kb) / 1024];
    });
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended.
    return "";
  }
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // The group is gone already.
  }
}
