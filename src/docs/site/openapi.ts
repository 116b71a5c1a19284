/** The part of the OpenAPI document that the reference shows. No effects. */
import type { StreamEvent } from "../../live/streaming/event-schemas.ts";
import type { Schema } from "./schema-fields.ts";

export interface ApiDocument {
  info: { title: string; summary: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, OperationResponse>;
  "x-codeSamples"?: { source: string }[];
  "x-examples-from-server"?: unknown[];
  "x-examples-from-client"?: unknown[];
}

export interface OperationResponse {
  description: string;
  content?: Record<string, Content>;
  /** The stream that a caller can have in place of JSON. */
  "x-event-stream"?: Content;
}

export interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: Schema;
}

export interface Content {
  schema?: Schema;
  example?: unknown;
  /** Events of a stream. */
  examples?: Record<string, { value: StreamEvent }>;
}

export interface PathOperation {
  path: string;
  method: string;
  operation: Operation;
}

/** The first sentence of a summary: the heading of its operation. */
export const headingOf = ({ summary }: Operation): string => sentences(summary)[0] ?? summary;

/** What follows the heading. */
export const descriptionOf = ({ summary, description }: Operation): string =>
  [...sentences(summary).slice(1), ...(description === undefined ? [] : [description])].join(" ");

const sentences = (text: string): string[] => {
  const [first = "", ...rest] = text.split(/(?<=\w[.`]?)\. (?=[A-Z`])/);
  return rest.length > 0 ? [first, `${rest.join(". ")}.`] : [first];
};

const EVENT_STREAM = "text/event-stream";

/** What an answer can be, by content type. */
export const contentOf = ({ content = {}, "x-event-stream": stream }: OperationResponse): Record<string, Content> =>
  stream ? { ...content, [EVENT_STREAM]: stream } : content;

const typesOf = ({ responses: { 200: answer } }: Operation): string[] => (answer ? Object.keys(contentOf(answer)) : []);

export const streamsEvents = (operation: Operation): boolean => typesOf(operation).includes(EVENT_STREAM);

export const streamsOnlyEvents = (operation: Operation): boolean =>
  streamsEvents(operation) && typesOf(operation).length === 1;
