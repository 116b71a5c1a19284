/**
 * The rows of the table of answers, as far as they are in view: they are loaded in pieces, and forgotten when the filter
 * changes. Without a filter a row is one prompt, put once, with the answers of all endpoints, because a run writes them
 * together; with one it is one answer. Calls the network.
 */
import type { ParleyClient } from "../../../client/index.ts";
import type { RunResult, RunResultQuery } from "../../../client/types.ts";
import { Observable } from "../../shared/observable.ts";

export type Filter = Pick<RunResultQuery, "item" | "endpoint" | "status" | "pass">;

/** As many as the API gives at once. */
const MAX_ANSWERS = 1_000;
const MAX_PIECE_ROWS = 100;

/** How old a piece may get in a run that goes on. */
const STALE_MS = 2_000;

interface Piece {
  rows: RunResult[][];
  /** `-Infinity` if it must be loaded again. */
  loadedAt: number;
  isLoading: boolean;
}

const isEmpty = (value: unknown): boolean => value === undefined || value === "";

/** How many answers a row has. */
export const answersPerRow = ({ endpoint, status, pass }: Filter, endpoints: number): number =>
  isEmpty(endpoint) && isEmpty(status) && isEmpty(pass) ? endpoints : 1;

export class Rows extends Observable {
  /** All that match; `null` until something is loaded. */
  total: number | null = null;
  problem: unknown = null;
  readonly perRow: number;
  readonly #load: (limit: number, skip: number) => Promise<{ results: RunResult[]; total: number }>;
  readonly #pieceRows: number;
  readonly #pieces = new Map<number, Piece>();
  #answers = 0;
  /** How often what is known became old. */
  #round = 0;

  constructor(api: ParleyClient, runId: string, filter: Filter, endpoints: number) {
    super();
    this.perRow = answersPerRow(filter, endpoints);
    this.#pieceRows = Math.min(MAX_PIECE_ROWS, Math.floor(MAX_ANSWERS / this.perRow));
    this.#load = (limit, skip) => api.runs.results(runId, { ...filter, limit, skip });
  }

  /** How many answers match. */
  get answers(): number {
    return this.#answers;
  }

  /** `null` while it is loaded. */
  row(index: number): RunResult[] | null {
    return this.#pieces.get(Math.floor(index / this.#pieceRows))?.rows[index % this.#pieceRows] ?? null;
  }

  /** Loads the rows from one to another, if they are not there or may have changed. */
  show(from: number, to: number, isGoingOn: boolean): void {
    const stale = isGoingOn ? STALE_MS : Infinity;
    for (let piece = Math.floor(from / this.#pieceRows); piece * this.#pieceRows < Math.max(to, 1); piece++) {
      const known = this.#pieces.get(piece);
      const isLoaded = known !== undefined && (known.isLoading || performance.now() - known.loadedAt < stale);
      if (!isLoaded) void this.#loadPiece(piece);
    }
  }

  /** What is known may have changed: it is loaded again when it is shown next. */
  refresh(): void {
    this.#round += 1;
    for (const piece of this.#pieces.values()) piece.loadedAt = -Infinity;
  }

  async #loadPiece(number: number): Promise<void> {
    const piece = this.#pieces.get(number) ?? { rows: [], loadedAt: -Infinity, isLoading: false };
    this.#pieces.set(number, { ...piece, isLoading: true });
    const round = this.#round;
    try {
      const limit = this.#pieceRows * this.perRow;
      const { results, total } = await this.#load(limit, number * limit);
      this.#pieces.set(number, { rows: inRows(results, this.perRow), loadedAt: performance.now(), isLoading: false });
      this.#answers = total;
      this.total = Math.ceil(total / this.perRow);
      this.problem = null;
      if (round !== this.#round) void this.#loadPiece(number);
    } catch (error) {
      this.#pieces.delete(number);
      this.problem = error;
    }
    this.changed();
  }
}

const inRows = (results: RunResult[], perRow: number): RunResult[][] =>
  Array.from({ length: Math.ceil(results.length / perRow) }, (_, row) =>
    results.slice(row * perRow, (row + 1) * perRow),
  );
