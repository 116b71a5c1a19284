/** A failure that its message explains to the person at the terminal. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a shell expects of a program that was stopped with Ctrl-C. */
const INTERRUPTED = 130;

/** How often it is looked whether npm is still there. */
const WATCH_MS = 500;

/**
 * Runs a program to its exit code.
 *
 * @param program is handed a signal that is aborted once the program is asked to stop, or fails
 */
export async function run(program: (stop: AbortSignal) => Promise<number>): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
  if (process.env["npm_lifecycle_event"]) whenOrphaned(() => stop.abort());
  try {
    process.exitCode = await program(stop.signal);
  } catch (error) {
    process.exitCode = stop.signal.aborted ? INTERRUPTED : explain(error);
    stop.abort();
  }
}

/** A signal to npm ends the shell between it and its script, and never comes through to the script. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, WATCH_MS).unref();
}

function explain(error: unknown): number {
  if (!(error instanceof UserError)) {
    console.error(error);
    return 1;
  }
  if (error.message !== "") console.error(`\n${error.message}\n`);
  return error.exitCode;
}
