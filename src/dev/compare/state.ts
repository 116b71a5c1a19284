/**
 * Which run belongs to which command: a file beside the results. The key of a start is written before the call, so that a
 * command that was killed in between finds its run too.
 *
 * Reads and writes `runs.json` in the folder of the results.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CompareOptions } from "./arguments.ts";

interface KnownRun {
  /** The idempotency key of its start. */
  key: string;
  /** `null` until the server has answered. */
  runId: string | null;
}

export class KnownRuns {
  readonly #folder: string;
  /** Of the file's content, what is asked, and the server. */
  readonly #digest: string;

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
    const known = isNew ? undefined : this.#read()[this.#digest];
    const key = known?.key ?? randomUUID();
    this.#write({ key, runId: null });
    return key;
  }

  keep(runId: string): void {
    this.#write({ key: this.#read()[this.#digest]?.key ?? randomUUID(), runId });
  }

  get #file(): string {
    return join(this.#folder, "runs.json");
  }

  #read(): Record<string, KnownRun> {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, KnownRun>) : {};
  }

  #write(run: KnownRun): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#file, `${JSON.stringify({ ...this.#read(), [this.#digest]: run }, null, 2)}\n`);
  }
}
