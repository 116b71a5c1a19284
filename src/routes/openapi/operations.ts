/**
 * How routes are described: the `docs.ts` of a resource has its operations by route. They are no part of the Worker: the
 * document is made from them, and from the app's own list of routes, when the Worker is built. No effects.
 */
import type * as z from "zod";
import type { ClientFrame } from "../../live/streaming/client-frames.ts";
import type { StreamEvent } from "../../live/streaming/event-schemas.ts";
import type { Dialect } from "../http/dialect.ts";
import { withoutTrailingSlash } from "../http/route-table.ts";
import type { HeaderName } from "./headers.ts";

/** What the document says of a route, besides its input. */
export interface Operation {
  /** Unique among all routes. */
  id: string;
  /** A tag of its dialect, or `Service`. */
  tag: string;
  summary: string;
  /** What the summary has no room for. */
  description?: string;
  response: OperationResponse;
  /** Further answers to a call that succeeds. */
  otherResponses?: OperationResponse[];
  /** HTTP statuses of problems besides those that every route with its validators can have. */
  problems?: (400 | 401 | 403 | 404 | 409 | 426 | 429 | 502 | 503 | 504)[];
  /** Request headers that it reads, besides `Authorization`. */
  headers?: readonly HeaderName[];
  /** An example of the body. */
  example?: unknown;
  /** Content types of a body beside JSON, each with an example. */
  bodyTexts?: Record<string, string>;
  /** The name of a parameter in place of a fixed segment: without it the path would look like that of another route. */
  fixedSegment?: { name: string; value: string };
}

interface OperationResponse {
  status: 101 | 200 | 201 | 202 | 204;
  description: string;
  /** The schema of a JSON answer. */
  schema?: z.ZodType;
  contentType?: string;
  /** Content types of text answers, each with an example. */
  texts?: Record<string, string>;
  /** The route can answer server-sent events. With a `schema`: when the caller asks for them. */
  events?: EventStream;
  /** With status 101: an example of each kind of frame. */
  frames?: SocketFrames;
  example?: unknown;
}

/** An event stream, as its readers see it. */
export interface EventStream {
  /** A line for the shell that opens it. `$PARLEY` is the address of the server, `$KEY` the token. */
  curl: string;
  /** An example of each kind of event that it sends, in their order. */
  examples: Readonly<Record<string, StreamEvent>>;
}

/** What goes over a socket. */
export interface SocketFrames {
  fromServer: Readonly<Record<string, StreamEvent>>;
  fromClient: readonly ClientFrame[];
}

/** Operations by route, such as `GET /sessions/:id`: a method, and the path as the app registers it. */
export type Operations = Readonly<Record<string, Operation>>;

/** The operations of a resource under the path where the app mounts it. */
export const mountedAt = (base: string, operations: Operations): Operations =>
  Object.fromEntries(
    Object.entries(operations).map(([route, operation]) => {
      const [method = "", path = ""] = route.split(" ");
      return [`${method} ${withoutTrailingSlash(base + path)}`, operation];
    }),
  );

/** What the document says of a dialect. */
export interface DialectDocs {
  dialect: Dialect;
  /** The tags of its operations, each with a description. */
  tags: Readonly<Record<string, string>>;
  /** The body of a problem's answer. */
  problemSchema: (httpStatus: number) => z.ZodType;
  operations: Operations;
}
