/** An HTTP client that measures: keep-alive connections to one server, and the time of each call. */
import { Agent, request } from "node:http";

export interface Answer {
  text: string;
  /** From sending the request to the last byte of the answer. */
  ms: number;
}

interface TimedAnswer extends Answer {
  /** From sending the request until the expected text arrived. `null`: it did not. */
  expectedMs: number | null;
}

type Headers = Record<string, string>;

/** An answer that is not a success is thrown. */
export class HttpClient {
  readonly origin: string;
  readonly #headers: Headers;
  readonly #agent: Agent;

  /** @param connections the highest number of calls at the same time */
  constructor(origin: string, headers: Headers = {}, connections = 1) {
    this.origin = origin;
    this.#headers = headers;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path: string): Promise<Answer> {
    return this.#call("GET", path, null, {});
  }

  post(path: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#call("POST", path, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  /** Waits for the complete answer. @returns the time until the expected text arrived */
  async postUntil(expected: string, path: string, body: unknown, headers: Headers = {}): Promise<number> {
    const callHeaders = { "content-type": "application/json", ...headers };
    const { expectedMs } = await this.#call("POST", path, JSON.stringify(body), callHeaders, expected);
    if (expectedMs === null) throw new Error(`POST ${path} answered without ${expected}`);
    return expectedMs;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @param expected the text whose arrival is measured */
  #call(
    method: string,
    path: string,
    body: string | null,
    callHeaders: Headers,
    expected?: string,
  ): Promise<TimedAnswer> {
    const length = body === null ? {} : { "content-length": `${Buffer.byteLength(body)}` };
    const headers = { ...this.#headers, ...callHeaders, ...length };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const call = request(this.origin + path, { method, headers, agent: this.#agent }, (answer) => {
        let text = "";
        let expectedMs: number | null = null;
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => {
          text += part;
          if (expected !== undefined && text.includes(expected)) expectedMs ??= performance.now() - started;
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const ms = performance.now() - started;
          if ((answer.statusCode ?? 500) < 300) resolve({ text, ms, expectedMs });
          else reject(new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      call.on("error", (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection at the same moment, so the call never arrived.
        if (call.reusedSocket && error.code === "ECONNRESET")
          resolve(this.#call(method, path, body, callHeaders, expected));
        else reject(error);
      });
      call.end(body ?? undefined);
    });
  }
}
