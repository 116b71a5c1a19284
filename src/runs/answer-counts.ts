/**
 * How many answers of each kind stand in each block of numbers, so that a page far into a long list is found without reading
 * those before it. Kept in memory too: a run of a million answers has ten thousand counts, and each page needs their sums.
 * Effects: the object's SQLite.
 */
import type { CountedAnswer } from "../core/run-figures.ts";
import { MAX_RUN_ANSWERS } from "../core/run.ts";
import type { ResultFilter } from "../core/run.ts";

/** How many numbers of answers a block has. */
export const BLOCK_ANSWERS = 1_024;

const MAX_BLOCKS = Math.ceil(MAX_RUN_ANSWERS / BLOCK_ANSWERS);

/** More kinds than an endpoint has. */
const KINDS = 16;

const STATUSES = ["ok", "error", "cancelled"] as const;
const PASSES = [null, false, true] as const;

/** The number of a kind of answers: those of one endpoint with one status that are judged alike. */
const kindOf = (endpoint: number, { status, pass }: Pick<CountedAnswer, "status" | "pass">): number =>
  endpoint * KINDS + STATUSES.indexOf(status) * PASSES.length + PASSES.indexOf(pass);

const kindsOf = ({ status, pass }: Pick<ResultFilter, "status" | "pass">, endpoints: Iterable<number>): number[] =>
  Array.from(endpoints).flatMap((endpoint) =>
    STATUSES.filter((each) => status === undefined || each === status).flatMap((each) =>
      PASSES.filter((judged) => pass === undefined || judged === pass).map((judged) =>
        kindOf(endpoint, { status: each, pass: judged }),
      ),
    ),
  );

const COUNT =
  "INSERT INTO answer_counts (block, kind, answers) VALUES (?, ?, ?) ON CONFLICT (block, kind) DO UPDATE SET answers = answers + excluded.answers";

export class AnswerCounts {
  readonly #sql: SqlStorage;
  /** By kind: the counts of its blocks. `null` until they are needed. */
  #byKind: Map<number, Int32Array> | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Counts an answer, or takes it out again. If its transaction fails, call {@link forget}. */
  add(number: number, endpoint: number, answer: Pick<CountedAnswer, "status" | "pass">, by: 1 | -1): void {
    const [block, kind] = [Math.floor(number / BLOCK_ANSWERS), kindOf(endpoint, answer)];
    this.#sql.exec(COUNT, block, kind, by);
    if (this.#byKind) addTo(this.#byKind, kind, block, by);
  }

  /** Reads the counts again when they are needed next. */
  forget(): void {
    this.#byKind = null;
  }

  /** The number of answers that match, by block. @param endpoints their places */
  byBlock(filter: Pick<ResultFilter, "status" | "pass">, endpoints: Iterable<number>): number[] {
    this.#byKind ??= this.#read();
    const sums = Array<number>(MAX_BLOCKS).fill(0);
    for (const kind of kindsOf(filter, endpoints))
      for (const [block, answers] of this.#byKind.get(kind)?.entries() ?? [])
        sums[block] = (sums[block] ?? 0) + answers;
    return sums;
  }

  #read(): Map<number, Int32Array> {
    const read = new Map<number, Int32Array>();
    const rows = this.#sql.exec<{ block: number; kind: number; answers: number }>(
      "SELECT block, kind, answers FROM answer_counts",
    );
    for (const { block, kind, answers } of rows) addTo(read, kind, block, answers);
    return read;
  }
}

function addTo(byKind: Map<number, Int32Array>, kind: number, block: number, by: number): void {
  const counts = byKind.get(kind) ?? new Int32Array(MAX_BLOCKS);
  byKind.set(kind, counts);
  counts[block] = (counts[block] ?? 0) + by;
}
