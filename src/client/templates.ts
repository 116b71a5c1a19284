/** Templates for the prompts of comparisons, and the context strategies. Calls the network. */
import type { CallOptions, Connection } from "./connection.ts";
import type { PromptTemplate, PromptTemplateFields } from "./types.ts";

export class Templates {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  list(options?: CallOptions): Promise<PromptTemplate[]> {
    return this.#connection.call({ method: "GET", path: BASE, ...options });
  }

  async create(template: PromptTemplateFields, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "POST", path: BASE, body: template, ...options });
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: `${BASE}/${encodeURIComponent(name)}`, ...options });
  }

  /** @returns the names of the context strategies */
  strategies(options?: CallOptions): Promise<string[]> {
    return this.#connection.call({ method: "GET", path: "/v1/context_strategies", ...options });
  }
}

const BASE = "/v1/prompt_templates";
