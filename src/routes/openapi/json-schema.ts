/** JSON Schema of zod schemas, as the OpenAPI document has it. No effects. */
import * as z from "zod";

type Json = Record<string, unknown>;

/** Removes the bounds that zod gives every integer: they are limits of JavaScript, not of the API. */
function dropIntegerBounds({ jsonSchema: schema }: { jsonSchema: { minimum?: number; maximum?: number } }): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** The JSON Schema of what a socket takes, without a reference to it. */
export function definitionOf(schema: z.core.$ZodType, id: string): unknown {
  const definitions: Json = {};
  jsonSchema(schema, "input", definitions);
  return definitions[id];
}

/** The JSON Schema of a zod schema. A schema with an id becomes a component, and the result refers to it. */
export function jsonSchema(schema: z.core.$ZodType, io: "input" | "output", schemas: Json): Json {
  // In an object, so that a root schema with an id becomes a reference too.
  const { properties, $defs } = z.toJSONSchema(z.object({ root: schema }), {
    io,
    unrepresentable: "any",
    override: dropIntegerBounds,
  }) as unknown as {
    properties: { root: Json };
    $defs?: Json;
  };
  const withReferences = (part: unknown): Json =>
    JSON.parse(JSON.stringify(part).replaceAll("#/$defs/", "#/components/schemas/")) as Json;
  for (const [id, definition] of Object.entries($defs ?? {})) {
    const { id: _, ...rest } = withReferences(definition);
    schemas[id] = rest;
  }
  return withReferences(properties.root);
}
