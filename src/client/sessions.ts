/**
 * Sessions between a client and a chatbot: `/sessions` of the server.
 *
 * Calls the network through `connection.ts`.
 */
import type { Call, CallOptions, Connection } from "./connection.ts";
import { itemOf, pageOf } from "./envelope.ts";
import type { Page } from "./envelope.ts";
import { openSocket } from "./sockets.ts";
import { followSession, streamTurn } from "./streams.ts";
import type { FollowOptions } from "./streams.ts";
import type * as types from "./types.ts";

/** A page of messages. */
export interface MessagesPage<M> {
  messages: M[];
  /** `after` of the next page, if there is one. */
  nextAfter?: number;
}

type Pages = Omit<types.MessagesQuery, "tree">;
/** What a chat answers: a reply, or the message itself while a person answers. */
type ChatAnswer = types.Message | types.StoredMessage;

export class Sessions {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  create(session: types.SessionFields, options?: CallOptions): Promise<types.Session> {
    return this.#item("POST", "/sessions", session, options);
  }

  /** @returns a page, newest first; with `handler` the longest wait first */
  list(query?: types.SessionQuery, options?: CallOptions): Promise<Page<types.ListedSession>> {
    return pageOf(this.#connection, "/sessions", query, options);
  }

  /** @returns the session with its newest messages */
  get(id: string, options?: CallOptions): Promise<types.PopulatedSession> {
    return this.#item("GET", pathOf(id), undefined, options);
  }

  update(id: string, changes: types.SessionChanges, options?: CallOptions): Promise<types.Session> {
    return this.#item("PUT", pathOf(id), changes, options);
  }

  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: pathOf(id), ...options });
  }

  /** Stops a running turn, too. */
  end(id: string, options?: CallOptions): Promise<types.Session> {
    return this.#item("POST", `${pathOf(id)}/end`, undefined, options);
  }

  /** @returns messages of the active path, oldest first */
  messages(id: string, query?: Pages, options?: CallOptions): Promise<MessagesPage<types.LoggedMessage>> {
    return this.#messages(id, query, options);
  }

  /** @returns messages of all paths, oldest first, with their places in the tree */
  tree(id: string, query?: Pages, options?: CallOptions): Promise<MessagesPage<types.TreeMessage>> {
    return this.#messages(id, { ...query, tree: "true" }, options);
  }

  /** Adds a message, which no model answers. */
  addMessage(id: string, message: types.MessageFields, options?: CallOptions): Promise<types.Session> {
    return this.#item("POST", "/sessions/message", message, options, { sessionId: id });
  }

  /** @returns the reply, when it is complete; while a person answers, the message as it is stored */
  chat(id: string, message: types.ChatFields, options?: CallOptions): Promise<ChatAnswer> {
    return this.#item("POST", "/sessions/chat", message, options, { sessionId: id });
  }

  /** @returns the events of the turn, as they happen */
  streamChat(id: string, message: types.ChatFields, options?: CallOptions): AsyncGenerator<types.StreamEvent, void> {
    return this.#stream(id, { path: "/sessions/chat", query: { sessionId: id }, body: message, ...options });
  }

  /** Asks again for a reply. The new one is a variant of it. @param seq of the reply */
  regenerate(id: string, seq: number, how: types.RegenerateFields = {}, options?: CallOptions): Promise<types.Message> {
    return this.#item("POST", `${pathOf(id, seq)}/regenerate`, how, options);
  }

  /** @returns the events of the turn, as they happen */
  streamRegenerate(
    id: string,
    seq: number,
    how: types.RegenerateFields = {},
    options?: CallOptions,
  ): AsyncGenerator<types.StreamEvent, void> {
    return this.#stream(id, { path: `${pathOf(id, seq)}/regenerate`, body: how, ...options }, seq);
  }

  /** Says a user message in another way. @param seq of the message @returns the reply */
  edit(id: string, seq: number, message: types.EditFields, options?: CallOptions): Promise<types.Message> {
    return this.#item("POST", `${pathOf(id, seq)}/edit`, message, options);
  }

  /** @returns the events of the turn, as they happen */
  streamEdit(
    id: string,
    seq: number,
    message: types.EditFields,
    options?: CallOptions,
  ): AsyncGenerator<types.StreamEvent, void> {
    return this.#stream(id, { path: `${pathOf(id, seq)}/edit`, body: message, ...options }, seq);
  }

  /** Shows the path through a message. @returns the messages of the active path, by their `seq` */
  async activate(id: string, seq: number, options?: CallOptions): Promise<number[]> {
    return (await this.#item<types.ActivePath>("PUT", `${pathOf(id, seq)}/active`, undefined, options)).seqs;
  }

  /** Copies the path to a message into a new session. */
  branch(id: string, from: types.BranchFields, options?: CallOptions): Promise<types.Session> {
    return this.#item("POST", `${pathOf(id)}/branch`, from, options);
  }

  /** Stops the running turn. The text so far is kept. @returns whether one was running */
  async stop(id: string, options?: CallOptions): Promise<boolean> {
    return (await this.#item<{ stopped: boolean }>("POST", `${pathOf(id)}/stop`, undefined, options)).stopped;
  }

  requestHuman(id: string, request: types.HumanRequestFields = {}, options?: CallOptions): Promise<types.Handling> {
    return this.#item("POST", `${pathOf(id)}/request-human`, request, options);
  }

  takeOver(id: string, by: types.TakeOverFields, options?: CallOptions): Promise<types.Handling> {
    return this.#item("POST", `${pathOf(id)}/takeover`, by, options);
  }

  handBack(id: string, fields: types.HandBackFields = {}, options?: CallOptions): Promise<types.Handling> {
    return this.#item("POST", `${pathOf(id)}/handback`, fields, options);
  }

  /** Rates an answer. @param seq of the answer */
  setFeedback(
    id: string,
    seq: number,
    feedback: types.FeedbackFields,
    options?: CallOptions,
  ): Promise<types.GivenFeedback> {
    return this.#item("PUT", `${pathOf(id, seq)}/feedback`, feedback, options);
  }

  async removeFeedback(id: string, seq: number, options?: CallOptions): Promise<void> {
    await this.#connection.call({ method: "DELETE", path: `${pathOf(id, seq)}/feedback`, ...options });
  }

  statistics(id: string, options?: CallOptions): Promise<types.SessionStatistics> {
    return this.#item("GET", `${pathOf(id)}/stats`, undefined, options);
  }

  /** @returns the answer whose body is the file */
  export(id: string, query?: types.ExportQuery, options?: CallOptions): Promise<Response> {
    return this.#connection.open({ method: "GET", path: `${pathOf(id)}/export`, query, accept: "*/*", ...options });
  }

  /** Follows a session, whoever writes to it, until it ends. */
  follow(id: string, options?: FollowOptions): AsyncGenerator<types.StreamEvent, void> {
    return followSession(this.#connection, pathOf(id), options);
  }

  /** @returns what opens one event stream or one socket of the session, once, within 30 seconds */
  ticket(id: string, options?: CallOptions): Promise<types.Ticket> {
    return this.#item("POST", `${pathOf(id)}/tickets`, undefined, options);
  }

  /** Opens a socket, with a ticket. It does not resume by itself. @param after `seq` of the last message that is known */
  async openSocket(id: string, after?: number, options?: CallOptions): Promise<WebSocket> {
    return openSocket(this.#connection, pathOf(id), await this.ticket(id, options), after);
  }

  #messages<M>(id: string, query?: types.MessagesQuery, options?: CallOptions): Promise<MessagesPage<M>> {
    return this.#item("GET", `${pathOf(id)}/messages`, undefined, options, { ...query });
  }

  #item<T>(
    method: Call["method"],
    path: string,
    body: unknown,
    options?: CallOptions,
    query?: Call["query"],
  ): Promise<T> {
    return itemOf(this.#connection, { method, path, body, query, ...options });
  }

  #stream(id: string, call: Omit<Call, "method">, after?: number): AsyncGenerator<types.StreamEvent, void> {
    return streamTurn(this.#connection, pathOf(id), call, after);
  }
}

/** @param seq of a message */
const pathOf = (id: string, seq?: number): string =>
  `/sessions/${encodeURIComponent(id)}${seq === undefined ? "" : `/messages/${seq}`}`;
