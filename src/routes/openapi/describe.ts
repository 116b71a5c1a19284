/**
 * How routes describe themselves: `describe` attaches an operation to a route, `attachInput` a schema to a validator.
 * The document reads both back from the app's own route list, so it cannot miss a route or differ from what a route
 * validates. No effects.
 */
import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { ClientFrame } from "../../live/streaming/client-frames.ts";
import type { StreamEvent } from "../../live/streaming/events.ts";
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
  problems?: (401 | 403 | 404 | 409 | 426 | 429 | 502 | 503 | 504)[];
  /** Request headers that it reads, besides `Authorization`. */
  headers?: readonly HeaderName[];
  /** An example of the body. */
  example?: unknown;
}

interface OperationResponse {
  status: 101 | 200 | 201 | 204;
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

/** The schema of a body or a query. */
export interface Input {
  in: "body" | "query";
  schema: z.ZodType;
}

const INPUT = Symbol("input");
const OPERATION = Symbol("operation");

/** Attaches the schema of a validator, so that the document uses the schema that validates. */
export const attachInput = <H extends object>(validator: H, input: Input): H =>
  Object.assign(validator, { [INPUT]: input });

/** Middleware that does nothing but carry the description of its route. */
export function describe(operation: Operation): MiddlewareHandler {
  return Object.assign(((_, next) => next()) satisfies MiddlewareHandler, { [OPERATION]: operation });
}

/** The operation attached to a handler, if any. */
export const operationOf = (handler: object): Operation | undefined =>
  Reflect.get(handler, OPERATION) as Operation | undefined;

/** The input attached to a handler, if any. */
export const inputOf = (handler: object): Input | undefined => Reflect.get(handler, INPUT) as Input | undefined;
