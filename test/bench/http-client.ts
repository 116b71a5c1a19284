import { Agent, request } from "node:http";

export interface Answer {
  text: string;
  /** From sending the request to the last byte of the answer. */
  ms: number;
}

/** Calls one server over connections that stay open. Whatever is not a success is thrown. */
export class HttpClient {
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;

  /** @param connections how many calls may be under way at once */
  constructor(origin: string, headers: Record<string, string> = {}, connections = 1) {
    this.#origin = origin;
    this.#headers = headers;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(path: string): Promise<Answer> {
    return this.#call("GET", path, null, {});
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#call("POST", path, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, body: string | null, own: Record<string, string>): Promise<Answer> {
    const length = body === null ? {} : { "content-length": `${Buffer.byteLength(body)}` };
    const headers = { ...this.#headers, ...own, ...length };
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const call = request(this.#origin + path, { method, headers, agent: this.#agent }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => (text += part));
        answer.on("error", reject);
        answer.on("end", () => {
          const ms = performance.now() - started;
          if ((answer.statusCode ?? 500) < 300) resolve({ text, ms });
          else reject(new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      call.on("error", (error: NodeJS.ErrnoException) => {
        // The server had just let go of a connection that lay idle: the call never arrived.
        if (call.reusedSocket && error.code === "ECONNRESET") resolve(this.#call(method, path, body, own));
        else reject(error);
      });
      call.end(body ?? undefined);
    });
  }
}
