/**
 * Writes the client's types out, from the schemas that they come from in the source: whoever installs the package needs no
 * zod. The types are those of the OpenAPI document. No effects.
 */
import * as z from "zod";
import { inputs, outputs } from "../../client/schemas.ts";
import { REPLY_ERROR_CODES } from "../../core/failure.ts";

/** The part of JSON Schema that the schemas of the routes become. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  description?: string;
}

const REFERENCE = "#/$defs/";

const HEAD = `/** What the client takes and gives. Written from the schemas of the server: do not change it by hand. */`;

/** @returns the text of a module */
export function writeTypes(): string {
  const types = new Map<string, string>();
  // The id of a schema is its name within others. In the package it has the name of the client's type, if there is one.
  const names = new Map<string, string>();
  const described = [...describe(outputs, "output"), ...describe(inputs, "input")];
  for (const { name, root } of described) if (root.$ref !== undefined) names.set(idOf(root.$ref), name);
  const nameOf = (id: string): string => names.get(id) ?? id;
  for (const { name, root, definitions } of described) {
    for (const [id, definition] of Object.entries(definitions)) types.set(nameOf(id), typeText(definition, nameOf));
    if (root.$ref === undefined) types.set(name, typeText(root, nameOf));
    else if (nameOf(idOf(root.$ref)) !== name) types.set(name, nameOf(idOf(root.$ref)));
  }
  types.set("ReplyErrorCode", unionOf(REPLY_ERROR_CODES.map((code) => JSON.stringify(code))));
  const lines = [...types].toSorted(([a], [b]) => a.localeCompare(b, "en"));
  return [HEAD, ...lines.map(([name, text]) => `export type ${name} = ${text};`), ""].join("\n\n");
}

function describe(schemas: Readonly<Record<string, z.core.$ZodType>>, io: "input" | "output") {
  return Object.entries(schemas).map(([name, schema]) => {
    // In an object, so that a schema with an id becomes a reference.
    const { properties, $defs = {} } = z.toJSONSchema(z.object({ root: schema }), {
      io,
      unrepresentable: "any",
    }) as unknown as {
      properties: { root: JsonSchema };
      $defs?: Record<string, JsonSchema>;
    };
    return { name, root: properties.root, definitions: $defs };
  });
}

const idOf = (reference: string): string => reference.slice(REFERENCE.length);

const unionOf = (texts: string[]): string => [...new Set(texts)].join(" | ");

/** @param nameOf the name of the type of a schema that is referred to */
export function typeText(schema: JsonSchema, nameOf: (id: string) => string): string {
  const { $ref, type, enum: values, anyOf = schema.oneOf } = schema;
  if ($ref !== undefined) return nameOf(idOf($ref));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (values) return unionOf(values.map((value) => JSON.stringify(value)));
  if (anyOf) return unionOf(anyOf.map((option) => typeText(option, nameOf)));
  if (Array.isArray(type)) return unionOf(type.map((one) => typeText({ ...schema, type: one }, nameOf)));
  return plainText(schema, type ?? "unknown", nameOf);
}

function plainText(schema: JsonSchema, type: string, nameOf: (id: string) => string): string {
  if (type === "array") return `(${typeText(schema.items ?? {}, nameOf)})[]`;
  if (type === "object") return objectText(schema, nameOf);
  return type === "integer" ? "number" : type;
}

function objectText(schema: JsonSchema, nameOf: (id: string) => string): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  const fields = Object.entries(properties).map(([name, field]) => {
    const comment = field.description === undefined ? "" : `  /** ${field.description.replaceAll("*/", "* /")} */\n`;
    const text = typeText(field, nameOf);
    return `${comment}  ${JSON.stringify(name)}${required.includes(name) ? `: ${text}` : `?: ${text} | undefined`};\n`;
  });
  if (typeof additionalProperties !== "object") return `{\n${fields.join("")}}`;
  const others = `{ [name: string]: ${typeText(additionalProperties, nameOf)} }`;
  return fields.length === 0 ? others : `{\n${fields.join("")}} & ${others}`;
}
