/**
 * Data sets that are put to endpoints: `/v1/runs` of the server.
 *
 * Calls the network through `connection.ts`.
 */
import { connectionError } from "./connection.ts";
import type { Call, CallOptions, Connection } from "./connection.ts";
import { readEvents } from "./event-stream.ts";
import { Attempts } from "./retry.ts";
import type * as types from "./types.ts";

/** The items of a run as the text of a file. */
export interface RunDataSet {
  text: string;
  contentType: "application/jsonl" | "text/csv";
}

/** A page of the answers of a run that match. */
export interface RunResults {
  results: types.RunResult[];
  /** How many match. */
  total: number;
}

interface RunFollowOptions {
  signal?: AbortSignal | undefined;
  /** How many attempts in a row may fail. Left out: any number. */
  retries?: number | undefined;
}

export class Runs {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @returns the run, which has started */
  async create(run: types.RunFields, options?: CallOptions): Promise<types.Run> {
    return (await this.#call<{ run: types.Run }>("POST", "", { body: run, ...options })).run;
  }

  /**
   * Starts a run of a file. A refusal names the lines where something is wrong.
   *
   * @returns the run, which has started
   */
  async createFrom(
    { text, contentType }: RunDataSet,
    { endpoints, ...run }: Omit<types.RunFields, "items">,
    options?: CallOptions,
  ): Promise<types.Run> {
    const query = { ...run, endpoints: endpoints.join(",") };
    return (await this.#call<{ run: types.Run }>("POST", "", { query, body: text, contentType, ...options })).run;
  }

  /** @returns the newest ones, without their results */
  list(query?: types.RunQuery, options?: CallOptions): Promise<types.RunSummary[]> {
    return this.#call("GET", "", { query: { ...query }, ...options });
  }

  async get(id: string, options?: CallOptions): Promise<types.Run> {
    return (await this.#call<{ run: types.Run }>("GET", pathOf(id), { ...options })).run;
  }

  /** Deletes the run and its sessions. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#call("DELETE", pathOf(id), { ...options });
  }

  /** Begins no further turns; those that run end. */
  async pause(id: string, options?: CallOptions): Promise<void> {
    await this.#change(id, "pause", options);
  }

  /** Goes on with a run that was paused or cancelled. */
  async resume(id: string, options?: CallOptions): Promise<void> {
    await this.#change(id, "resume", options);
  }

  async cancel(id: string, options?: CallOptions): Promise<void> {
    await this.#change(id, "cancel", options);
  }

  /** Asks again for what failed, and replaces it. */
  async retryErrors(id: string, options?: CallOptions): Promise<void> {
    await this.#change(id, "retry_errors", options);
  }

  /** @returns a page of the answers, by item, repetition, turn and endpoint; the first 100 if the query names no other */
  results(id: string, query?: types.RunResultQuery, options?: CallOptions): Promise<RunResults> {
    return this.#call("GET", `${pathOf(id)}/results`, { query: { ...query }, ...options });
  }

  /** @returns the answer whose body is the file */
  export(id: string, query?: types.RunExportQuery, options?: CallOptions): Promise<Response> {
    const path = `${BASE + pathOf(id)}/export`;
    return this.#connection.open({ method: "GET", path, query: { ...query }, accept: "*/*", ...options });
  }

  /**
   * Follows a run until it ends: its progress now, and as answers come. The server ends a stream after a minute, and
   * connections are lost: the next one goes on by itself.
   *
   * @throws {@link ParleyError} if the run cannot be followed, or the reason of the signal
   */
  async *follow(
    id: string,
    { signal, retries = Infinity }: RunFollowOptions = {},
  ): AsyncGenerator<types.RunEvent, void> {
    const path = `${BASE + pathOf(id)}/events`;
    const call: Call = { method: "GET", path, accept: "text/event-stream", retries: 0, signal };
    const attempts = new Attempts({ retries, signal });
    for (;;) {
      try {
        const { body } = await this.#connection.open(call);
        for await (const event of readEvents<types.RunEvent>(call, body ?? new ReadableStream(), () => false)) {
          if (typeof event === "string") continue;
          attempts.reset();
          yield event;
          if (event.type === "run-ended") return;
        }
        throw connectionError(call, new Error("The stream ended before the run"));
      } catch (error) {
        await attempts.next(error);
      }
    }
  }

  /** What was done already is done once: such a call does no harm twice. */
  async #change(id: string, command: string, options: CallOptions | undefined): Promise<void> {
    await this.#call("POST", `${pathOf(id)}/${command}`, { repeats: "as-is", ...options });
  }

  #call<T>(method: Call["method"], path: string, call: Omit<Call, "method" | "path">): Promise<T> {
    return this.#connection.call({ method, path: BASE + path, ...call });
  }
}

const BASE = "/v1/runs";

const pathOf = (id: string): string => `/${encodeURIComponent(id)}`;
