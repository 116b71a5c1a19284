/**
 * What `npm start` and `npm run demo` share as programs: signals, exit codes, and errors for the person at the terminal.
 *
 * Sets `process.exitCode` and handles the signals of the process.
 */

/** An error whose message is enough for the person at the terminal: it is printed without a stack. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code of a program that could not find out what it was asked; 1 is for a bad result. */
export const NO_RESULT = 2;

/** The exit code that shells expect after Ctrl-C. */
const INTERRUPTED = 130;

const PARENT_CHECK_MS = 500;

/** @param program returns its exit code. Its signal is aborted when the program must stop */
export async function runProgram(program: (stop: AbortSignal) => Promise<number>): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
  if (process.env["npm_lifecycle_event"]) onParentExit(() => stop.abort());
  try {
    process.exitCode = await program(stop.signal);
  } catch (error) {
    process.exitCode = stop.signal.aborted ? INTERRUPTED : printError(error);
    stop.abort();
  }
}

/** A signal to npm ends the shell that npm runs its script in, and never reaches the script. */
function onParentExit(callback: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) callback();
  }, PARENT_CHECK_MS).unref();
}

/** @returns the exit code */
function printError(error: unknown): number {
  if (!(error instanceof UserError)) {
    console.error(error);
    return 1;
  }
  if (error.message !== "") console.error(`\n${error.message}\n`);
  return error.exitCode;
}
