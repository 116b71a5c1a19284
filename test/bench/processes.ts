/**
 * Child processes that never outlive this one: each leads a process group, which ends as a whole. Also used by `test/node`.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a process may take to end after SIGTERM, before it is killed. */
const END_TIMEOUT_MS = 5_000;

/** Of longer output only the end is kept. */
const MAX_OUTPUT_CHARACTERS = 10_000;

/** Process ids of the leaders of groups that may still run. */
const leaders = new Set<number>();

/** A process that leads its own group, so that everything it starts ends with it. */
export interface Running {
  /** The exit code; `null` when it was killed. */
  exited: Promise<number | null>;
  hasExited: () => boolean;
  /** The end of its output so far, stdout and stderr. */
  output: () => string;
  /** Resident memory of each process of this name in the group, in MB. Empty on systems without `/proc`. */
  residentMb: (name: string) => number[];
  /** CPU time that the processes of this name in the group have used, in milliseconds. 0 on systems without `/proc`. */
  cpuMs: (name: string) => number;
  /** Ends the whole group. */
  end: () => Promise<void>;
  /** Kills the whole group. */
  kill: () => Promise<void>;
}

/** Starts a script with this Node. */
export function startNode(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Running {
  const leader = spawn(process.execPath, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const pid = leader.pid;
  if (pid === undefined) throw new Error(`Could not start ${args.join(" ")}`);
  leaders.add(pid);
  let output = "";
  const collect = (text: Buffer) => {
    output = (output + text.toString()).slice(-MAX_OUTPUT_CHARACTERS);
  };
  leader.stdout.on("data", collect);
  leader.stderr.on("data", collect);
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
    cpuMs: (name) => cpuMs(pid, name),
    async end() {
      signalGroup(pid, "SIGTERM");
      await Promise.race([exited, sleep(END_TIMEOUT_MS, null, { ref: false })]);
      await kill();
    },
    kill,
  };
}

/** Runs a script with this Node to its end. @returns its output @throws with its output when it fails */
export async function runNode(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  const running = startNode(args, options);
  const code = await running.exited;
  await running.end();
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${running.output()}`);
  return running.output();
}

/** An empty directory, in memory if possible, so that a commit costs no disk write. */
export function scratchDirectory(): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = mkdtempSync(join(parent, "parley-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Kills all groups when this process ends, however it ends. Call it first. */
export function cleanUpAtExit(): void {
  process.once("exit", () => {
    for (const pid of leaders) signalGroup(pid, "SIGKILL");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Not `once`: the terminal and npm both send the signal, and the second would end this process too early.
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const residentMb = (leader: number, name: string): number[] =>
  processesOf(leader, name).flatMap((pid) => {
    const kb = /^VmRSS:\s*(\d+) kB$/m.exec(readQuietly(`/proc/${pid}/status`))?.[1];
    return kb === undefined ? [] : [Number(kb) / 1024];
  });

/**
 * The scheduler counts each thread's time in nanoseconds, where `/proc/<pid>/stat` counts ticks of 10 ms.
 * https://docs.kernel.org/scheduler/sched-stats.html
 */
const cpuMs = (leader: number, name: string): number =>
  processesOf(leader, name)
    .flatMap((pid) =>
      listQuietly(`/proc/${pid}/task`).map((task) => readQuietly(`/proc/${pid}/task/${task}/schedstat`)),
    )
    .reduce((sum, schedstat) => sum + Number(schedstat.split(" ")[0]) / 1e6, 0);

/** Ids of the processes of a name in a group. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const processesOf = (leader: number, name: string): string[] =>
  listQuietly("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .toSorted((one, other) => Number(one) - Number(other))
    .filter((pid) => {
      const [, command, group] = /^\d+ \((.*)\) \S+ \d+ (\d+)/s.exec(readQuietly(`/proc/${pid}/stat`)) ?? [];
      return command === name && Number(group) === leader;
    });

function listQuietly(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // The process has ended, or the system has no `/proc`.
    return [];
  }
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
