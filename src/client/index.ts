/**
 * The typed client of Parley, for browsers, Workers and Node: used by the console, the demo, tests and bench, and by others as
 * the package `parley-client`.
 *
 * In this folder: a file for each noun has its calls; `connection` makes a call, `retry` repeats it, `streams` has streams
 * that resume, `event-stream` reads one answer, `joined-events` joins several; `errors` is how a call fails; `types` come
 * from the schemas of the server. Whoever needs a few calls only, such as the widget, imports `connection` and those nouns.
 */
import { Bookmarks } from "./bookmarks.ts";
import { Chatbots } from "./chatbots.ts";
import { Clients } from "./clients.ts";
import { Comparisons } from "./comparisons.ts";
import { Connection } from "./connection.ts";
import type { CallOptions, ConnectionOptions } from "./connection.ts";
import { Endpoints } from "./endpoints.ts";
import { itemOf } from "./envelope.ts";
import { Feedback } from "./feedback.ts";
import { Keys } from "./keys.ts";
import { Runs } from "./runs.ts";
import { Sessions } from "./sessions.ts";
import { Templates } from "./templates.ts";
import type { Me } from "./types.ts";

export { Bookmarks } from "./bookmarks.ts";
export { Chatbots } from "./chatbots.ts";
export { Clients } from "./clients.ts";
export { Comparisons } from "./comparisons.ts";
export type { History } from "./comparisons.ts";
export { Connection } from "./connection.ts";
export type { Call, CallOptions, ConnectionOptions, Query, TokenSource } from "./connection.ts";
export { Endpoints } from "./endpoints.ts";
export type { Page } from "./envelope.ts";
export { ParleyError } from "./errors.ts";
export type { ErrorCode, ErrorDetail } from "./errors.ts";
export { Feedback } from "./feedback.ts";
export { Keys } from "./keys.ts";
export { Runs } from "./runs.ts";
export type { RunDataSet, RunResults } from "./runs.ts";
export { Sessions } from "./sessions.ts";
export type { MessagesPage } from "./sessions.ts";
export type { FollowOptions } from "./streams.ts";
export { Templates } from "./templates.ts";
export type * from "./types.ts";

export class ParleyClient {
  readonly connection: Connection;
  readonly bookmarks: Bookmarks;
  readonly chatbots: Chatbots;
  readonly clients: Clients;
  readonly comparisons: Comparisons;
  readonly endpoints: Endpoints;
  readonly feedback: Feedback;
  readonly keys: Keys;
  readonly runs: Runs;
  readonly sessions: Sessions;
  readonly templates: Templates;

  constructor(options: ConnectionOptions) {
    const connection = new Connection(options);
    this.connection = connection;
    this.bookmarks = new Bookmarks(connection);
    this.chatbots = new Chatbots(connection);
    this.clients = new Clients(connection);
    this.comparisons = new Comparisons(connection);
    this.endpoints = new Endpoints(connection);
    this.feedback = new Feedback(connection);
    this.keys = new Keys(connection);
    this.runs = new Runs(connection);
    this.sessions = new Sessions(connection);
    this.templates = new Templates(connection);
  }

  /** Who the caller is: role, client and expiry of its token. */
  me(options?: CallOptions): Promise<Me> {
    return itemOf(this.connection, { method: "GET", path: "/me", ...options });
  }
}
