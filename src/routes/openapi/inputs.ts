/**
 * The schemas of what routes take: `attachInput` attaches one to its validator. From there the OpenAPI document has it, so it
 * cannot differ from what a route validates. No effects.
 */
import * as z from "zod/mini";

/** The schema of a body or a query. */
export interface Input {
  in: "body" | "query";
  schema: z.core.$ZodType;
}

const INPUT = Symbol("input");

/** Attaches the schema of a validator, so that the document uses the schema that validates. */
export const attachInput = <H extends object>(validator: H, input: Input): H =>
  Object.assign(validator, { [INPUT]: input });

/** The input attached to a handler, if any. */
export const inputOf = (handler: object): Input | undefined => Reflect.get(handler, INPUT) as Input | undefined;

/** Whether a call may come without a body, which is then as if it were `{}`: a `POST` that needs none of the fields. */
export const isOptionalBody = (method: string, { schema }: Input): boolean =>
  method.toUpperCase() === "POST" && z.safeParse(schema, {}).success;
