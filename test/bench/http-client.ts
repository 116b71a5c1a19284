import { Agent, request } from "node:http";

export interface Answer {
  text: string;
  /** From sending the request to the last byte of the answer. */
  ms: number;
}

interface TimedAnswer extends Answer {
  /** From sending the request until a text was there that was looked for; `null` if it never was. */
  soughtMs: number | null;
}

type Headers = Record<string, string>;

/** Calls one server over connections that stay open. Whatever is not a success is thrown. */
export class HttpClient {
  readonly #origin: string;
  readonly #headers: Headers;
  readonly #agent: Agent;

  /** @param connections how many calls may be under way at once */
  constructor(origin: string, headers: Headers = {}, connections = 1) {
    this.#origin = origin;
    this.#headers = headers;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path: string): Promise<Answer> {
    return this.#call("GET", path, null, {});
  }

  post(path: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return this.#call("POST", path, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  /** Posts and waits for the whole answer. @returns how long it took until a text was in it */
  async postUntil(sought: string, path: string, body: unknown, headers: Headers = {}): Promise<number> {
    const own = { "content-type": "application/json", ...headers };
    const { soughtMs } = await this.#call("POST", path, JSON.stringify(body), own, sought);
    if (soughtMs === null) throw new Error(`POST ${path} answered without ${sought}`);
    return soughtMs;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @param sought a text whose arrival is timed */
  #call(method: string, path: string, body: string | null, own: Headers, sought?: string): Promise<TimedAnswer> {
    const length = body === null ? {} : { "content-length": `${Buffer.byteLength(body)}` };
    const headers = { ...this.#headers, ...own, ...length };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const call = request(this.#origin + path, { method, headers, agent: this.#agent }, (answer) => {
        let text = "";
        let soughtMs: number | null = null;
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => {
          text += part;
          if (sought !== undefined && text.includes(sought)) soughtMs ??= performance.now() - started;
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const ms = performance.now() - started;
          if ((answer.statusCode ?? 500) < 300) resolve({ text, ms, soughtMs });
          else reject(new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      call.on("error", (error: NodeJS.ErrnoException) => {
        // The server had just let go of a connection that lay idle: the call never arrived.
        if (call.reusedSocket && error.code === "ECONNRESET") resolve(this.#call(method, path, body, own, sought));
        else reject(error);
      });
      call.end(body ?? undefined);
    });
  }
}
