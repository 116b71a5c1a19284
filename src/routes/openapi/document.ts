/**
 * Makes the OpenAPI 3.1 document from the app: from the list of its routes, the schemas that they carry, and their
 * operations. Texts of a single route do not belong here: each resource has them in its `docs.ts`. No effects.
 */
import type { Hono } from "hono";
import type * as z from "zod";
import type { AppEnv } from "../http/context.ts";
import { ClientFrame } from "../../live/streaming/client-frames.ts";
import { StreamEvent } from "../../live/streaming/event-schemas.ts";
import { OPEN_PATHS } from "../http/authenticate.ts";
import { withoutTrailingSlash } from "../http/route-table.ts";
import { dialectOf } from "../http/dialect.ts";
import { inputOf, isOptionalBody } from "./inputs.ts";
import type { Input } from "./inputs.ts";
import type { DialectDocs, EventStream, Operation, Operations, SocketFrames } from "./operations.ts";
import { headerParameters } from "./headers.ts";
import { definitionOf, jsonSchema } from "./json-schema.ts";

type Json = Record<string, unknown>;

/** A route with its description. */
export interface DescribedRoute {
  method: string;
  /** With parameters as `{name}`. */
  path: string;
  operation: Operation;
  inputs: Input[];
}

/** All routes with a description, in the order of the app. */
export function describedRoutes(app: Hono<AppEnv>, operations: Operations): DescribedRoute[] {
  const routes = new Map<string, DescribedRoute>();
  for (const { method, path, handler } of app.routes) {
    const key = `${method} ${withoutTrailingSlash(path)}`;
    const operation = operations[key];
    if (!operation) continue;
    const route = routes.get(key) ?? {
      method: method.toLowerCase(),
      path: withoutTrailingSlash(path).replace(/:(\w+)/g, "{$1}"),
      operation,
      inputs: [],
    };
    const input = inputOf(handler);
    if (input) route.inputs.push(input);
    routes.set(key, route);
  }
  return [...routes.values()];
}

/** The path of a route as the document has it. */
export function documentPath({ path, operation: { fixedSegment } }: DescribedRoute): string {
  return fixedSegment ? path.replace(fixedSegment.value, `{${fixedSegment.name}}`) : path;
}

/** The tags of the dialects, those of the fallback dialect first, and the tag of routes without a dialect. */
const tagsOf = (dialects: readonly DialectDocs[]) =>
  [...dialects.toReversed().flatMap(({ tags }) => Object.entries(tags)), ["Service", "The service itself"]].map(
    ([name, description]) => ({ name, description }),
  );

export function openapiDocument(routes: readonly DescribedRoute[], dialects: readonly DialectDocs[]): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    (paths[documentPath(route)] ??= {})[route.method] = operationObject(route, docsOf(dialects, route.path), schemas);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Parley",
      version: "0.1.0",
      summary: "Sessions with language models, at the edge",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      {
        url: "{address}",
        description: "The address of your server",
        variables: { address: { default: "http://localhost:8787", description: "By default that of a local start" } },
      },
    ],
    security: [{ bearer: [] }],
    tags: tagsOf(dialects),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The admin key, an API key, or a JWT from the identity provider",
        },
      },
      schemas,
    },
  };
}

/** The documentation of the dialect of a path. */
export function docsOf(dialects: readonly DialectDocs[], path: string): DialectDocs {
  const found = dialectOf(
    dialects.map(({ dialect }) => dialect),
    path,
  );
  const docs = dialects.find(({ dialect }) => dialect === found);
  if (!docs) throw new Error(`No dialect documents ${path}`);
  return docs;
}

function operationObject(route: DescribedRoute, docs: DialectDocs, schemas: Json): Json {
  const { method, path, operation, inputs } = route;
  const { id, tag, summary, response, otherResponses = [], example, bodyTexts = {} } = operation;
  const description = [operation.description, streamDescription(response)].filter((text) => text !== undefined);
  const body = inputs.find((input) => input.in === "body");
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description.length > 0 ? { description: description.join("\n\n") } : {}),
    ...(response.events ? { "x-codeSamples": [{ lang: "Shell", label: "curl", source: response.events.curl }] } : {}),
    ...(OPEN_PATHS.includes(path) ? { security: [] } : {}),
    ...(response.frames ? socketFrames(response.frames, schemas) : {}),
    parameters: [
      ...pathParameters(documentPath(route), operation),
      ...queryParameters(inputs, schemas),
      ...headerParameters(operation.headers),
    ],
    ...(body
      ? {
          requestBody: {
            required: !isOptionalBody(method, body),
            content: { ...jsonContent(body.schema, example, "input", schemas), ...textContents(bodyTexts) },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        [response, ...otherResponses].map((answer) => [
          answer.status,
          { description: answer.description, ...responseContent(answer, schemas) },
        ]),
      ),
      ...problemResponses(route, docs, schemas),
      // A socket has no answer of status 2xx, so tools look for this.
      ...(response.frames ? { default: { description: "Every other answer is a failure" } } : {}),
    },
  };
}

/** How to ask for an event stream. The header `Accept` cannot be a parameter in OpenAPI. */
function streamDescription({ status, schema, events }: Operation["response"]): string | undefined {
  if (status === 101) return FRAMES;
  if (!events) return undefined;
  return schema
    ? "Send `Accept: text/event-stream` to get the events as they happen, instead of one answer at the end."
    : "Send `Accept: text/event-stream`, as an `EventSource` does. The answer is always an event stream.";
}

const EVENT_STREAM = "text/event-stream";

const FRAMES =
  "Every frame is a JSON object: a StreamEvent from the server, a ClientFrame from the client. The answer to the text `ping` is `pong`.";

/**
 * The frames of a socket. OpenAPI has no field for them, so they are in extensions. A reference from there does not count: the schema
 * of the client's frames, which nothing else refers to, is written out.
 */
const socketFrames = ({ fromServer, fromClient }: SocketFrames, schemas: Json): Json => ({
  "x-frames-from-server": jsonSchema(StreamEvent, "output", schemas),
  "x-frames-from-client": definitionOf(ClientFrame, "ClientFrame"),
  "x-examples-from-server": Object.values(fromServer),
  "x-examples-from-client": fromClient,
});

/**
 * An answer that is JSON or a stream: the stream stands in an extension. Generators make one type of all that is in `content`, so
 * whoever reads JSON would have to check whether it is an event. An answer that is always a stream is a text to whoever validates
 * answers, and the extension has its events.
 */
function responseContent(answer: Operation["response"], schemas: Json): Json {
  const { schema, contentType, texts = {}, events, example, status } = answer;
  if (status === 101) return {};
  const named = { ...(contentType === undefined ? {} : { [contentType]: {} }), ...textContents(texts) };
  const stream = events && eventContent(events, schemas);
  if (!schema) return withStream({ ...(events ? streamText(schemas) : {}), ...named }, stream);
  const { [EVENT_STREAM]: textStream, ...others } = named;
  return withStream({ ...jsonContent(schema, example, "output", schemas), ...others }, stream ?? textStream);
}

const withStream = (content: Json, stream: unknown): Json => ({
  content,
  ...(stream ? { "x-event-stream": stream } : {}),
});

const textContents = (texts: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(texts).map(([type, text]) => [type, { schema: { type: "string" }, example: text }]),
  );

/** Server-sent events as one text. */
const streamText = (schemas: Json): Json => ({
  [EVENT_STREAM]: {
    schema: {
      type: "string",
      description: "Server-sent events. The `data` of each is a StreamEvent as JSON",
      contentMediaType: EVENT_STREAM,
      contentSchema: jsonSchema(StreamEvent, "output", schemas),
    },
  },
});

/** Each event is described by the JSON of its `data`. */
const eventContent = ({ examples }: EventStream, schemas: Json): Json => ({
  schema: jsonSchema(StreamEvent, "output", schemas),
  examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
});

const pathParameters = (path: string, { fixedSegment }: Operation) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", ...(name === fixedSegment?.name ? { enum: [fixedSegment?.value] } : {}) },
  }));

function queryParameters(inputs: Input[], schemas: Json) {
  const schema = inputs.find((input) => input.in === "query")?.schema;
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, "input", schemas) as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: property,
  }));
}

const DESCRIPTIONS: Record<number, string> = {
  400: "Invalid input",
  401: "Authentication missing or invalid",
  403: "The token is not allowed to do this: the message says what it lacks",
  404: "Not found, or not in a state that allows this",
  409: "Conflict with the current state",
  413: "The body is larger than 1 MiB",
  415: "The body is not JSON",
  422: "The body or the query is invalid",
  426: "The call is not a WebSocket upgrade",
  429: "Too many calls, or too many turns are waiting in this session",
  500: "Server error",
  502: "The endpoint failed",
  503: "Not possible now: something that it needs is overloaded, unreachable or not configured",
  504: "The endpoint took too long",
};

function problemResponses({ method, path, operation, inputs }: DescribedRoute, docs: DialectDocs, schemas: Json): Json {
  // Every route refuses what it does not take, and so reads a body that it does not take, too.
  const bodyStatuses = method === "get" ? [] : [413];
  const typeStatuses = inputs.some((input) => input.in === "body") ? [415] : [];
  const commonStatuses = OPEN_PATHS.includes(path) ? [429] : [401, 403, 429, 503];
  // For an invalid Idempotency-Key.
  const keyStatuses = method === "post" ? [400] : [];
  const all = [
    docs.dialect.invalidInputStatus,
    ...keyStatuses,
    ...commonStatuses,
    ...bodyStatuses,
    ...typeStatuses,
    ...(operation.problems ?? []),
    500,
  ];
  const statuses = [...new Set(all)].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const content = jsonContent(docs.problemSchema(status), undefined, "output", schemas);
      return [status, { description: DESCRIPTIONS[status], content }];
    }),
  );
}

const jsonContent = (schema: z.core.$ZodType, example: unknown, io: "input" | "output", schemas: Json): Json => ({
  "application/json": { schema: jsonSchema(schema, io, schemas), ...(example === undefined ? {} : { example }) },
});
