/**
 * Sessions that put each prompt to several endpoints: `/v1/sessions` of the server.
 *
 * Calls the network through `connection.ts`.
 */
import type { Call, CallOptions, Connection } from "./connection.ts";
import { openSocket } from "./sockets.ts";
import { followSession, streamTurn } from "./streams.ts";
import type { FollowOptions } from "./streams.ts";
import type * as types from "./types.ts";

/** The records of every chat, oldest first. */
export interface History {
  /** By chat id. */
  records: Record<string, types.ChatRecord[]>;
  /** Whether earlier records are left out. An export has all. */
  isTruncated: boolean;
}

interface HistoryOptions extends CallOptions {
  /** Whether each record has its receipt. */
  receipts?: boolean;
}

export class Comparisons {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async create(session: types.ComparisonFields, options?: CallOptions): Promise<types.Comparison> {
    return (await this.#call<{ session: types.Comparison }>("POST", "", { body: session, ...options })).session;
  }

  /** @returns the newest ones, up to 1,000 */
  list(query?: types.ComparisonQuery, options?: CallOptions): Promise<types.Comparison[]> {
    return this.#call("GET", "", { query: { ...query }, ...options });
  }

  async get(id: string, options?: CallOptions): Promise<types.Comparison> {
    return (await this.#call<{ session: types.Comparison }>("GET", pathOf(id), { ...options })).session;
  }

  async history(id: string, { receipts = false, ...options }: HistoryOptions = {}): Promise<History> {
    const query = { include_history: true, ...includeOf(receipts) };
    const { session } = await this.#call<{ session: types.Comparison }>("GET", pathOf(id), { query, ...options });
    return { records: session.chat_history ?? {}, isTruncated: session.truncated ?? false };
  }

  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#call("DELETE", pathOf(id), { ...options });
  }

  /** Sends a prompt to every endpoint. @returns the history, when all replies are complete */
  async prompt(
    id: string,
    prompt: types.PromptFields,
    { receipts = false, ...options }: HistoryOptions = {},
  ): Promise<History> {
    return this.#callForHistory(`${pathOf(id)}/prompt`, { query: includeOf(receipts), body: prompt, ...options });
  }

  /**
   * Puts the turns of the chat session that it was made from, all that were not put yet or some of them. {@link follow} has
   * the progress.
   *
   * @returns the history, when all replies are complete
   */
  replay(id: string, turns: types.ReplayFields = {}, options?: CallOptions): Promise<History> {
    return this.#callForHistory(`${pathOf(id)}/replay`, { body: turns, ...options });
  }

  /** Adopts an answer in the chat session that it was made from. @returns the `seq` of the message there */
  async adopt(id: string, record: types.AdoptFields, options?: CallOptions): Promise<number> {
    return (await this.#call<{ seq: number }>("POST", `${pathOf(id)}/adopt`, { body: record, ...options })).seq;
  }

  /** @returns the events of the turn in all chats, as they happen */
  streamPrompt(id: string, prompt: types.PromptFields, options?: CallOptions): AsyncGenerator<types.StreamEvent, void> {
    const path = BASE + pathOf(id);
    return streamTurn(this.#connection, path, { path: `${path}/prompt`, body: prompt, ...options });
  }

  /** Stops the running prompt and those that wait. The text so far is kept. */
  async cancel(id: string, options?: CallOptions): Promise<void> {
    await this.#call("POST", `${pathOf(id)}/cancel`, { ...options });
  }

  /** @param name `null` for none */
  async setTemplate(id: string, name: string | null, options?: CallOptions): Promise<void> {
    await this.#setByName(id, "prompt_templates", name, options);
  }

  /** @param name `null` for none */
  async setStrategy(id: string, name: string | null, options?: CallOptions): Promise<void> {
    await this.#setByName(id, "context_strategies", name, options);
  }

  /** @param text `null` for none */
  async setSystemPrompt(id: string, text: string | null, options?: CallOptions): Promise<void> {
    const path = `${pathOf(id)}/system_prompt`;
    if (text === null) await this.#call("DELETE", path, { ...options });
    else await this.#call("PUT", path, { body: { system_prompt: text }, ...options });
  }

  statistics(id: string, options?: CallOptions): Promise<types.ComparisonStatistics> {
    return this.#call("GET", `${pathOf(id)}/stats`, { ...options });
  }

  /** @returns the answer whose body is the file */
  export(id: string, query?: types.ExportQuery, options?: CallOptions): Promise<Response> {
    const path = `${BASE + pathOf(id)}/export`;
    return this.#connection.open({ method: "GET", path, query, accept: "*/*", ...options });
  }

  /** Follows a session, whoever writes to it, until it ends. */
  follow(id: string, options?: FollowOptions): AsyncGenerator<types.StreamEvent, void> {
    return followSession(this.#connection, BASE + pathOf(id), options);
  }

  /** @returns what opens one event stream or one socket of the session, once, within 30 seconds */
  ticket(id: string, options?: CallOptions): Promise<types.Ticket> {
    return this.#call("POST", `${pathOf(id)}/tickets`, { ...options });
  }

  /** Opens a socket, with a ticket. It does not resume by itself. @param after `seq` of the last message that is known */
  async openSocket(id: string, after?: number, options?: CallOptions): Promise<WebSocket> {
    return openSocket(this.#connection, BASE + pathOf(id), await this.ticket(id, options), after);
  }

  /** The server has no name for none. Without one that was set, removing it changes nothing. */
  async #setByName(id: string, what: string, name: string | null, options?: CallOptions): Promise<void> {
    const named =
      name ?? (await this.get(id, options))[what === "prompt_templates" ? "prompt_template" : "context_strategy"];
    if (named === null) return;
    const path = `${pathOf(id)}/${what}/${encodeURIComponent(named)}`;
    await this.#call(name === null ? "DELETE" : "PUT", path, { ...options });
  }

  async #callForHistory(path: string, call: Omit<Call, "method" | "path">): Promise<History> {
    type Answer = Record<string, types.ChatRecord[]> & { truncated?: true };
    const { truncated, ...records } = await this.#call<Answer>("POST", path, call);
    return { records, isTruncated: truncated ?? false };
  }

  #call<T>(method: Call["method"], path: string, call: Omit<Call, "method" | "path">): Promise<T> {
    return this.#connection.call({ method, path: BASE + path, ...call });
  }
}

const BASE = "/v1/sessions";

const pathOf = (id: string): string => `/${encodeURIComponent(id)}`;

const includeOf = (receipts: boolean): Call["query"] => (receipts ? { include: "receipt" } : {});
