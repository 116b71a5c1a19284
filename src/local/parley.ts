import type * as z from "zod";
import type { Chatbot } from "../routes/chatbots/schemas.ts";
import type { Client } from "../routes/clients/schemas.ts";
import type { ListedSession, Message, Session } from "../routes/sessions/schemas.ts";
import type * as schemas from "../routes/v1/schemas.ts";

/** What came of one prompt to one endpoint. */
export type ChatRecord = z.output<typeof schemas.ChatRecord>;
export type NewEndpoint = z.input<typeof schemas.CreateEndpoint>;

type ChatbotSession = z.output<typeof Session>;
type ComparisonSession = z.output<typeof schemas.Session>;

/** What a chatbot is made of here. */
export interface NewChatbot {
  name: string;
  endpointId: string;
  description: string;
  greeting: string;
}

/** A call that Parley turned away. */
export class Refused extends Error {
  readonly status: number;

  constructor(call: string, status: number, reason: string) {
    super(`${call} was refused: ${reason} (${status})`);
    this.status = status;
  }
}

/** Parley, as a caller over HTTP knows it. */
export class Parley {
  readonly address: string;
  readonly key: string;

  constructor(address: string, key: string) {
    this.address = address;
    this.key = key;
  }

  listEndpoints(): Promise<z.output<typeof schemas.Endpoint>[]> {
    return this.call("GET", "/v1/llm_endpoints");
  }

  createEndpoint(endpoint: NewEndpoint): Promise<unknown> {
    return this.call("POST", "/v1/llm_endpoints", endpoint);
  }

  listChatbots(): Promise<z.output<typeof Chatbot>[]> {
    return this.#list("/chatbots");
  }

  createChatbot(chatbot: NewChatbot): Promise<z.output<typeof Chatbot>> {
    return this.#changed("POST", "/chatbots", chatbot);
  }

  listClients(): Promise<z.output<typeof Client>[]> {
    return this.#list("/clients");
  }

  createClient(client: { name: string }): Promise<z.output<typeof Client>> {
    return this.#changed("POST", "/clients", client);
  }

  createSession(session: { chatbotId: string; clientId: string; title: string }): Promise<ChatbotSession> {
    return this.#changed("POST", "/sessions", session);
  }

  chat(sessionId: string, content: string): Promise<z.output<typeof Message>> {
    return this.#changed("POST", `/sessions/chat?sessionId=${sessionId}`, { content });
  }

  endSession(sessionId: string): Promise<ChatbotSession> {
    return this.#changed("POST", `/sessions/${sessionId}/end`);
  }

  searchSessions(searchString: string): Promise<z.output<typeof ListedSession>[]> {
    return this.#list("/sessions", { searchString });
  }

  async createComparison(name: string, endpoints: string[]): Promise<ComparisonSession> {
    const { session } = await this.call<{ session: ComparisonSession }>("POST", "/v1/sessions", { name, endpoints });
    return session;
  }

  /** @returns the records of every chat, by chat id */
  prompt(sessionId: string, prompt: string): Promise<Record<string, ChatRecord[]>> {
    return this.call("POST", `/v1/sessions/${sessionId}/prompt`, { prompt });
  }

  /** Deletes what is at a path. */
  remove(path: string): Promise<unknown> {
    return this.call("DELETE", path);
  }

  /** @throws {@link Refused} */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.address + path, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(`${method} ${path}`, answer.status, reasonIn(text));
    return JSON.parse(text) as T;
  }

  async #changed<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.call<{ data: T }>(method, path, body)).data;
  }

  async #list<T>(path: string, query: Record<string, string> = {}): Promise<T[]> {
    const search = new URLSearchParams({ limit: "100", ...query });
    return (await this.call<{ data: { results: T[] } }>("GET", `${path}?${search.toString()}`)).data.results;
  }
}

/** What a refusal says in words, in either dialect. */
function reasonIn(text: string): string {
  try {
    const { message, detail, error } = JSON.parse(text) as { message?: string; detail?: string; error?: unknown };
    return message ?? detail ?? JSON.stringify(error);
  } catch {
    return text.slice(0, 200);
  }
}
