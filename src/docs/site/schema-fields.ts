/** A JSON Schema as rows of a table: what each field is, in words. No effects. */

/** The part of JSON Schema that the OpenAPI document has. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  additionalProperties?: boolean | Schema;
}

export interface Field {
  /** With the names of the objects around it: `data.role`, `items[].id`. */
  name: string;
  type: string;
  required: boolean;
  description: string;
  /** The named schema that it refers to. */
  refersTo?: string;
}

/** Fields deeper than this are shown by the schema itself. */
const DEEPEST = 3;

/** @returns the fields of an object, those of objects within it under them */
export function fieldsOf(schema: Schema, prefix = "", depth = 1): Field[] {
  const { properties = {}, required = [] } = objectIn(schema);
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = field.items ?? field;
    const refersTo = nameOf(inner.$ref);
    const row: Field = {
      name: path,
      type: typeOf(field),
      required: required.includes(name),
      description: field.description ?? "",
      ...(refersTo === undefined ? {} : { refersTo }),
    };
    const below = depth < DEEPEST ? fieldsOf(inner, `${path}${field.items ? "[]" : ""}.`, depth + 1) : [];
    return [row, ...below];
  });
}

/** The object of a schema, also when it may be `null` instead. */
function objectIn(schema: Schema): Schema {
  if (schema.properties) return schema;
  const objects = (schema.anyOf ?? schema.oneOf ?? []).filter(({ properties }) => properties);
  return objects.length === 1 ? (objects[0] ?? {}) : {};
}

export const nameOf = (ref: string | undefined): string | undefined => ref?.split("/").at(-1);

/** A type in words, such as `string, 1 to 100 characters`. */
export function typeOf(schema: Schema): string {
  const { $ref, anyOf, oneOf, allOf, items } = schema;
  if ($ref !== undefined) return nameOf($ref) ?? "";
  const choices = anyOf ?? oneOf ?? allOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (items) return `${arrayOf(typeOf(items))}${range(schema.minItems, schema.maxItems, " entries")}`;
  return plainTypeOf(schema);
}

const arrayOf = (type: string): string => (/[ |,]/.test(type) ? `(${type})[]` : `${type}[]`);

function plainTypeOf({ type = "any", format, ...schema }: Schema): string {
  const name = Array.isArray(type) ? type.join(" | ") : type;
  const length = range(schema.minLength, schema.maxLength, " characters");
  const size = range(schema.minimum, schema.maximum, "");
  const standard = schema.default === undefined ? "" : `, ${JSON.stringify(schema.default)} by default`;
  return `${name}${format === undefined ? "" : ` (${format})`}${length}${size}${standard}`;
}

/** The largest integer is the end of what JSON can carry, and no limit of a field. */
function range(from: number | undefined, to: number | undefined, unit: string): string {
  const min = from === undefined || from <= Number.MIN_SAFE_INTEGER ? undefined : from.toLocaleString("en");
  const max = to === undefined || to >= Number.MAX_SAFE_INTEGER ? undefined : to.toLocaleString("en");
  if (min !== undefined && max !== undefined) return min === max ? `, ${min}${unit}` : `, ${min} to ${max}${unit}`;
  if (max !== undefined) return `, at most ${max}${unit}`;
  return min === undefined ? "" : `, at least ${min}${unit}`;
}
