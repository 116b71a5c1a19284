/** Compares an answer with the OpenAPI document. */
import { Validator } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";
import { apiDocument as document, dialectDocs } from "../../src/api-docs.ts";
import { docsOf } from "../../src/routes/openapi/document.ts";

type Json = Record<string, unknown>;

interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: Json }> }>;
}

const paths = Object.entries(document["paths"] as Record<string, Record<string, Operation>>).map(([path, methods]) => ({
  // A fixed segment goes before a parameter, as in the app.
  parameters: path.split("{").length,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}/?$`),
  methods,
}));
paths.sort((a, b) => a.parameters - b.parameters);

const operationOf = (method: string, path: string): Operation | undefined =>
  paths.find(({ pattern }) => pattern.test(path))?.methods[method.toLowerCase()];

/** @returns how a JSON answer differs from the document, or `null` */
export function faultIn(method: string, path: string, status: number, body: unknown): string | null {
  const schema = schemaOf(method, path, status);
  if (!schema) return `${method} ${path} does not document a JSON answer with status ${status}`;
  const { valid, errors } = validatorOf(schema).validate(body);
  return valid
    ? null
    : `${method} ${path} ${status}: ${JSON.stringify(errors.slice(-3))} in ${JSON.stringify(body).slice(0, 500)}`;
}

function schemaOf(method: string, path: string, status: number): Json | undefined {
  const operation = operationOf(method, path);
  // A path without a route fails in the dialect's plain form.
  if (!operation) return { $ref: `#/components/schemas/${docsOf(dialectDocs, path).problemSchema(status).meta()?.id}` };
  return operation.responses[status]?.content?.["application/json"]?.schema;
}

const validators = new Map<Json, Validator>();

function validatorOf(schema: Json): Validator {
  let validator = validators.get(schema);
  if (!validator) {
    const whole = { ...schema, components: document["components"] } as Schema;
    validator = new Validator(whole, "2020-12", false);
    validators.set(schema, validator);
  }
  return validator;
}
