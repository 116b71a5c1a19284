/**
 * Calls a Parley server: address, token, JSON, repeats. What can be called is in a file for each noun, such as
 * `sessions.ts`.
 *
 * Calls the network through `fetch`.
 */
import { ParleyError, errorOf } from "./errors.ts";
import { repeat } from "./retry.ts";

/**
 * Gives the token of a call. After a 401 it is asked once more, with the token that was refused, and the call is made again
 * if it gives another one.
 */
export type TokenSource = (refused?: string) => string | Promise<string>;

export interface ConnectionOptions {
  /** Such as `https://parley.example.com`. */
  url: string;
  /** Left out for a server that lets callers in without one (`ANONYMOUS_ROLE`). Such calls are repeated only if they change nothing. */
  token?: string | TokenSource;
  /** Instead of the global one, such as that of a service binding. */
  fetch?: typeof fetch;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the waiting, and not what the server does. The call then throws the reason of the signal. */
  signal?: AbortSignal | undefined;
  /** Of a call that creates or appends. Without it, each call has one of its own. */
  idempotencyKey?: string | undefined;
  /** How often a call is repeated that failed in a way that may pass: 4 times if left out. */
  retries?: number | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Call extends CallOptions {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  query?: Query | undefined;
  body?: unknown;
  /** Of a body that is a text, such as a file; otherwise the body is sent as JSON. */
  contentType?: string;
  accept?: string;
  /** For a `POST` that takes no key: whether it is repeated, because that does no harm, or never. */
  repeats?: "as-is" | "never";
}

export class Connection {
  readonly url: string;
  readonly #tokenSource: TokenSource | null;
  readonly #fetch: typeof fetch;
  #token: Promise<string> | undefined;

  constructor({ url, token, fetch: ownFetch }: ConnectionOptions) {
    this.url = url.replace(/\/+$/, "");
    this.#tokenSource = typeof token === "string" ? () => token : (token ?? null);
    // Called as a method, a browser's `fetch` fails.
    this.#fetch = ownFetch ?? ((input, init) => fetch(input, init));
  }

  /** @returns the body of the answer, as JSON @throws {@link ParleyError}, or the reason of the signal */
  async call<T>(call: Call): Promise<T> {
    return await this.#repeat(call, async (answer) => (await answer.json()) as T);
  }

  /** @returns the answer, with a body that nobody has read @throws as `call` */
  open(call: Call): Promise<Response> {
    return this.#repeat(call, async (answer) => answer);
  }

  /** The address of a WebSocket. */
  socketUrl(path: string, query: Query): string {
    return this.url.replace(/^http/, "ws") + path + queryText(query);
  }

  /** @param read fails if the connection breaks: then the call is made again */
  async #repeat<T>(call: Call, read: (answer: Response) => Promise<T>): Promise<T> {
    const key = call.repeats === undefined ? this.keyFor(call) : null;
    const mayRepeat = call.method !== "POST" || call.repeats === "as-is" || key !== null;
    const retries = mayRepeat ? call.retries : 0;
    return repeat(
      async (attempt) => {
        const answer = await this.#answer(call, key);
        // What an earlier attempt has deleted is gone.
        const isDone = answer.status === 404 && call.method === "DELETE" && attempt > 0;
        if (!answer.ok && !isDone) throw await errorOf(`${call.method} ${call.path}`, answer);
        return read(answer).catch((error: unknown) => {
          throw connectionError(call, error);
        });
      },
      { retries, signal: call.signal },
    );
  }

  /** @returns a key of its own for a `POST`. All callers without a token look the same, so the server refuses their keys */
  keyFor({ method, idempotencyKey }: Pick<Call, "method" | "idempotencyKey">): string | null {
    return method === "POST" && this.#tokenSource ? (idempotencyKey ?? randomKey()) : null;
  }

  async #answer(call: Call, key: string | null): Promise<Response> {
    const token = await this.#readToken();
    const answer = await this.#send(call, key, token);
    if (answer.status !== 401 || token === null) return answer;
    const fresh = await this.#readToken(token);
    return fresh === null || fresh === token ? answer : this.#send(call, key, fresh);
  }

  /** Several calls may be refused at once: one of them asks for another token. */
  async #readToken(refused?: string): Promise<string | null> {
    const source = this.#tokenSource;
    if (!source) return null;
    const current = this.#token;
    const isRefused = refused !== undefined && (await current) === refused;
    if (this.#token === current && (isRefused || current === undefined)) {
      this.#token = Promise.resolve(source(refused));
      this.#token.catch(() => {
        this.#token = undefined;
      });
    }
    return this.#token ?? null;
  }

  async #send(call: Call, key: string | null, token: string | null): Promise<Response> {
    const { method, path, query = {}, body, accept = "application/json", signal } = call;
    const headers = {
      accept,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(key === null ? {} : { "idempotency-key": key }),
      ...(body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
    };
    try {
      return await this.#fetch(this.url + path + queryText(query), {
        method,
        headers,
        ...(body === undefined ? {} : { body: bodyOf(call) }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      throw connectionError(call, error);
    }
  }
}

const bodyOf = ({ body, contentType }: Call): string =>
  contentType === undefined ? JSON.stringify(body) : String(body);

/** @returns the reason of the signal if that is why, otherwise a failure */
export function connectionError({ method, path, signal }: Call, cause: unknown): unknown {
  if (signal?.aborted) return signal.reason;
  const message = `${method} ${path} failed: no connection to the server, or it was lost`;
  return new ParleyError(message, { status: 0, code: "connection_failed" }, cause);
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/** Without `crypto.randomUUID`, which pages have over https only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
