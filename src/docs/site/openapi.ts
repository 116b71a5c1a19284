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
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
  "x-codeSamples"?: { source: string }[];
  "x-examples-from-server"?: unknown[];
  "x-examples-from-client"?: unknown[];
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
