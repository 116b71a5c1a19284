import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { HeaderName } from "./headers.ts";

/** What a route's document tells beside what its validators say. */
export interface Operation {
  /** Unique over all routes. */
  id: string;
  tag: "Sessions" | "Chatbots" | "Clients" | "Keys" | "Moonshot" | "Service";
  summary: string;
  answer: Answer;
  /** HTTP statuses of refusals that the route's own validators and the door do not account for. */
  problems?: (401 | 403 | 404 | 409 | 426 | 429 | 502 | 503 | 504)[];
  /** Request headers that it reads, beside `Authorization`. */
  headers?: readonly HeaderName[];
  /** An example of the body. */
  example?: unknown;
}

interface Answer {
  status: 101 | 200 | 201 | 204;
  description: string;
  /** Absent: the answer is no JSON. */
  schema?: z.ZodType;
  contentType?: string;
  /** Content types of answers that are text, each with an example. */
  texts?: Record<string, string>;
  /** Answers server-sent events: instead of JSON where there is a schema, if the caller asks for them. */
  events?: true;
  example?: unknown;
}

/** A schema that a validator holds a body or a query against. */
export interface Input {
  in: "body" | "query";
  schema: z.ZodType;
}

const INPUT = Symbol("input");
const OPERATION = Symbol("operation");

/** Ties a validator to its schema, so that the document is made from the very schema that validates. */
export const attachInput = <H extends object>(validator: H, input: Input): H =>
  Object.assign(validator, { [INPUT]: input });

/** Says what a route is for and what it answers. */
export function describe(operation: Operation): MiddlewareHandler {
  return Object.assign(((_, next) => next()) satisfies MiddlewareHandler, { [OPERATION]: operation });
}

/** The operation that a handler of a route carries, if it is the one. */
export const operationOf = (handler: object): Operation | undefined =>
  Reflect.get(handler, OPERATION) as Operation | undefined;

/** The input that a handler of a route validates, if it does. */
export const inputOf = (handler: object): Input | undefined => Reflect.get(handler, INPUT) as Input | undefined;
