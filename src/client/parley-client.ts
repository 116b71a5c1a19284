/**
 * The typed HTTP client of Parley's own programs: the demo, tests and bench. It has what they call, not the whole API.
 *
 * Calls the network through the global `fetch`. Types come from the schemas of the dialects; none of their code is loaded.
 */
import { EventSourceParserStream } from "eventsource-parser/stream";
import type * as z from "zod";
import type { StreamEvent } from "../live/streaming/events.ts";
import type { Chatbot } from "../routes/session-api/chatbots/response-schemas.ts";
import type { Client } from "../routes/session-api/clients/response-schemas.ts";
import type * as feedback from "../routes/session-api/feedback/response-schemas.ts";
import type { Statistics } from "../routes/session-api/statistics/response-schemas.ts";
import type * as sessions from "../routes/session-api/sessions/response-schemas.ts";
import type { Endpoint } from "../routes/moonshot/llm-endpoints/response-schemas.ts";
import type { CreateEndpoint } from "../routes/moonshot-shared/llm-endpoints/schemas.ts";
import type { ChatRecord as ChatRecordSchema } from "../routes/moonshot/sessions/record-schemas.ts";
import type { Session as ComparisonSessionSchema } from "../routes/moonshot/sessions/response-schemas.ts";

/** A prompt and its reply in one chat. */
export type ChatRecord = z.output<typeof ChatRecordSchema>;
export type NewEndpoint = z.input<typeof CreateEndpoint>;

type ChatbotSession = z.output<typeof sessions.Session>;
type Handling = z.output<typeof sessions.Handling>;
type ListedSession = z.output<typeof sessions.ListedSession>;
type LoggedMessage = z.output<typeof sessions.LoggedMessage>;
type ListedFeedback = z.output<typeof feedback.ListedFeedback>;
export type ComparisonSession = z.output<typeof ComparisonSessionSchema>;

export interface NewChatbot {
  name: string;
  endpointId: string;
  description?: string;
  greeting?: string;
  historyLimit?: number;
  context?: { maxTokens: number; keep: "newest" | "summary"; summaryEndpointId?: string };
}

/** What somebody thinks of an answer. */
export interface NewFeedback {
  rating: -1 | 1;
  tags?: string[];
  comment?: string;
}

/** An answer of status 400 or more. */
export class ApiError extends Error {
  readonly status: number;

  constructor(call: string, status: number, reason: string) {
    super(`${call} failed with status ${status}: ${reason}`);
    this.status = status;
  }
}

export class ParleyClient {
  readonly address: string;
  readonly key: string;

  constructor(address: string, key: string) {
    this.address = address;
    this.key = key;
  }

  listEndpoints(): Promise<z.output<typeof Endpoint>[]> {
    return this.call("GET", "/v1/llm_endpoints");
  }

  createEndpoint(endpoint: NewEndpoint): Promise<unknown> {
    return this.call("POST", "/v1/llm_endpoints", endpoint);
  }

  listChatbots(): Promise<z.output<typeof Chatbot>[]> {
    return this.#list("/chatbots");
  }

  createChatbot(chatbot: NewChatbot): Promise<z.output<typeof Chatbot>> {
    return this.#mutate("POST", "/chatbots", chatbot);
  }

  listClients(): Promise<z.output<typeof Client>[]> {
    return this.#list("/clients");
  }

  createClient(client: { name: string }): Promise<z.output<typeof Client>> {
    return this.#mutate("POST", "/clients", client);
  }

  createSession(session: { chatbotId: string; clientId: string; title: string }): Promise<ChatbotSession> {
    return this.#mutate("POST", "/sessions", session);
  }

  chat(sessionId: string, content: string): Promise<z.output<typeof sessions.Message>> {
    return this.#mutate("POST", `/sessions/chat?sessionId=${sessionId}`, { content });
  }

  /** @returns the events of the turn, while it runs */
  streamChat(sessionId: string, content: string): AsyncGenerator<StreamEvent> {
    return this.#stream(`/sessions/chat?sessionId=${sessionId}`, { content });
  }

  /** @param role `assistant` for a person who answers in the chatbot's place */
  addMessage(sessionId: string, role: "user" | "assistant", content: string): Promise<ChatbotSession> {
    return this.#mutate("POST", `/sessions/message?sessionId=${sessionId}`, { message: { role, content } });
  }

  /** Asks again for a reply. The new one is a variant of it. */
  regenerate(sessionId: string, seq: number): Promise<z.output<typeof sessions.Message>> {
    return this.#mutate("POST", `/sessions/${sessionId}/messages/${seq}/regenerate`, {});
  }

  /** Says a user message in another way. @returns the reply */
  editMessage(sessionId: string, seq: number, content: string): Promise<z.output<typeof sessions.Message>> {
    return this.#mutate("POST", `/sessions/${sessionId}/messages/${seq}/edit`, { content });
  }

  /** Shows the path through a message. @returns the messages of the active path by their `seq` */
  async activate(sessionId: string, seq: number): Promise<number[]> {
    const path = `/sessions/${sessionId}/messages/${seq}/active`;
    return (await this.#mutate<{ seqs: number[] }>("PUT", path)).seqs;
  }

  /** Copies the path to a message into a new session. */
  branch(sessionId: string, seq: number, title: string): Promise<ChatbotSession> {
    return this.#mutate("POST", `/sessions/${sessionId}/branch`, { seq, title });
  }

  /** @returns up to 1,000 messages of a session, with their places in the tree */
  async listTree(sessionId: string): Promise<z.output<typeof sessions.TreeMessage>[]> {
    const path = `/sessions/${sessionId}/messages?tree=true&limit=1000`;
    return (await this.#mutate<{ messages: z.output<typeof sessions.TreeMessage>[] }>("GET", path)).messages;
  }

  requestHuman(sessionId: string, reason: string): Promise<Handling> {
    return this.#mutate("POST", `/sessions/${sessionId}/request-human`, { reason });
  }

  takeOver(sessionId: string, operator: { id: string; name: string }): Promise<Handling> {
    return this.#mutate("POST", `/sessions/${sessionId}/takeover`, { operator });
  }

  handBack(sessionId: string, note: string): Promise<Handling> {
    return this.#mutate("POST", `/sessions/${sessionId}/handback`, { note });
  }

  /** @returns the sessions in which somebody waits for a person, the longest wait first */
  listWaiting(): Promise<ListedSession[]> {
    return this.#list("/sessions", { handler: "waiting" });
  }

  /** @returns the first messages, up to 100, with the feedback on them */
  async messages(sessionId: string): Promise<LoggedMessage[]> {
    const path = `/sessions/${sessionId}/messages`;
    return (await this.call<{ data: { messages: LoggedMessage[] } }>("GET", path)).data.messages;
  }

  /** @param seq of an answer */
  setFeedback(sessionId: string, seq: number, given: NewFeedback): Promise<z.output<typeof feedback.GivenFeedback>> {
    return this.#mutate("PUT", `/sessions/${sessionId}/messages/${seq}/feedback`, given);
  }

  removeFeedback(sessionId: string, seq: number): Promise<unknown> {
    return this.remove(`/sessions/${sessionId}/messages/${seq}/feedback`);
  }

  /** @param query filters of `GET /feedback`, such as `{ rating: "-1" }` @returns the newest changes, up to 100 */
  listFeedback(query: Record<string, string> = {}): Promise<ListedFeedback[]> {
    return this.#list("/feedback", query);
  }

  /** @param query `startDate`, `endDate`: days */
  async statistics(
    of: "chatbots" | "clients",
    id: string,
    query: { startDate?: string; endDate?: string } = {},
  ): Promise<z.output<typeof Statistics>> {
    const search = new URLSearchParams(query).toString();
    return (await this.call<{ data: z.output<typeof Statistics> }>("GET", `/${of}/${id}/stats?${search}`)).data;
  }

  endSession(sessionId: string): Promise<ChatbotSession> {
    return this.#mutate("POST", `/sessions/${sessionId}/end`);
  }

  searchSessions(searchString: string): Promise<ListedSession[]> {
    return this.#list("/sessions", { searchString });
  }

  async createComparison(name: string, endpoints: string[]): Promise<ComparisonSession> {
    const { session } = await this.call<{ session: ComparisonSession }>("POST", "/v1/sessions", { name, endpoints });
    return session;
  }

  /** @returns the events of the turn in all chats, while it runs */
  streamPrompt(sessionId: string, prompt: string): AsyncGenerator<StreamEvent> {
    return this.#stream(`/v1/sessions/${sessionId}/prompt`, { prompt });
  }

  /** @returns the records of every chat, by chat id */
  async history(sessionId: string): Promise<Record<string, ChatRecord[]>> {
    const path = `/v1/sessions/${sessionId}?include_history=true`;
    const { session } = await this.call<{ session: ComparisonSession }>("GET", path);
    return session.chat_history ?? {};
  }

  /**
   * Opens a socket to a chatbot session, with a ticket: a browser cannot send the key in a header.
   *
   * @param after `seq` of the last message that is known already
   */
  async openSocket(sessionId: string, after: number): Promise<WebSocket> {
    const { ticket } = await this.#mutate<{ ticket: string }>("POST", `/sessions/${sessionId}/tickets`);
    const address = `${this.address.replace(/^http/, "ws")}/sessions/${sessionId}/ws`;
    return new WebSocket(`${address}?after=${after}&ticket=${ticket}`, "parley.v1");
  }

  remove(path: string): Promise<unknown> {
    return this.call("DELETE", path);
  }

  /** @throws {@link ApiError} */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await (await this.#fetch(method, path, body, "application/json")).json()) as T;
  }

  async *#stream(path: string, body: unknown): AsyncGenerator<StreamEvent> {
    const answer = await this.#fetch("POST", path, body, "text/event-stream");
    const events = answer.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()) ?? [];
    for await (const { data } of events) yield JSON.parse(data) as StreamEvent;
  }

  async #fetch(method: string, path: string, body: unknown, accept: string): Promise<Response> {
    const answer = await fetch(this.address + path, {
      method,
      headers: { accept, authorization: `Bearer ${this.key}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new ApiError(`${method} ${path}`, answer.status, readReason(await answer.text()));
    return answer;
  }

  async #mutate<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.call<{ data: T }>(method, path, body)).data;
  }

  async #list<T>(path: string, query: Record<string, string> = {}): Promise<T[]> {
    const search = new URLSearchParams({ limit: "100", ...query });
    return (await this.call<{ data: { results: T[] } }>("GET", `${path}?${search.toString()}`)).data.results;
  }
}

/** Reads the message of an error, in the form of either dialect. */
function readReason(text: string): string {
  try {
    const { message, detail, error } = JSON.parse(text) as { message?: string; detail?: string; error?: unknown };
    return message ?? detail ?? JSON.stringify(error);
  } catch {
    return text.slice(0, 200);
  }
}
