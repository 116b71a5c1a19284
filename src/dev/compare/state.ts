/**
 * Which run belongs to which command: a file beside the results. The key of a start is written before the call, so that a
 * command that was killed in between finds its run too. A start that the server refuses leaves nothing.
 *
 * Reads and writes `runs.json` in the folder of the results.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { NO_RESULT, UserError } from "../program.ts";
import type { CompareOptions } from "./arguments.ts";

const knownRun = z.object({
  /** The idempotency key of its start. */
  key: z.string(),
  /** `null` until the server has answered. */
  runId: z.string().nullable(),
});

type KnownRun = z.infer<typeof knownRun>;

const KNOWN_RUNS = z.record(z.string(), knownRun);

export class KnownRuns {
  readonly #folder: string;
  /** Of the file's content, what is asked, and the server. */
  readonly #digest: string;
  /** What there was before the start. */
  #before: { run: KnownRun | undefined; hasFolder: boolean } = { run: undefined, hasFolder: true };

  constructor({ out, run }: CompareOptions, text: string, url: string) {
    this.#folder = out;
    this.#digest = createHash("sha256")
      .update(JSON.stringify([text, run, url]))
      .digest("hex");
  }

  get runId(): string | null {
    return this.#read()[this.#digest]?.runId ?? null;
  }

  /** @param isNew whether it is another run than the one before */
  keyOfNext(isNew: boolean): string {
    const run = this.#read()[this.#digest];
    this.#before = { run, hasFolder: existsSync(this.#folder) };
    const known = isNew ? undefined : run;
    const key = known?.key ?? randomUUID();
    this.#write({ key, runId: null });
    return key;
  }

  /** Takes the key of a start back. Call it if there is no run with it. */
  forgetNext(): void {
    const { run, hasFolder } = this.#before;
    const { [this.#digest]: _, ...others } = this.#read();
    if (run) return this.#write(run);
    if (Object.keys(others).length > 0) return this.#writeAll(others);
    rmSync(this.#file);
    if (!hasFolder) rmdirSync(this.#folder);
  }

  keep(runId: string): void {
    this.#write({ key: this.#read()[this.#digest]?.key ?? randomUUID(), runId });
  }

  get #file(): string {
    return join(this.#folder, "runs.json");
  }

  #read(): Record<string, KnownRun> {
    if (!existsSync(this.#file)) return {};
    try {
      return KNOWN_RUNS.parse(JSON.parse(readFileSync(this.#file, "utf8")));
    } catch {
      const advice = "Delete it to ask again, or name another folder with --out.";
      throw new UserError(`${this.#file} is not as this program wrote it. ${advice}`, NO_RESULT);
    }
  }

  #write(run: KnownRun): void {
    this.#writeAll({ ...this.#read(), [this.#digest]: run });
  }

  #writeAll(runs: Record<string, KnownRun>): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#file, `${JSON.stringify(runs, null, 2)}\n`);
  }
}
