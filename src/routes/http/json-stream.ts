/**
 * Answers with JSON that is too long to be built whole: it is sent while its parts are read. What the JSON says does not
 * belong here. Effects: reads the generators that it gets, and logs when that fails.
 */
import type { Context } from "hono";
import { rootCause } from "../../core/failure.ts";
import type { AppEnv } from "./context.ts";
import { textStream } from "./text-stream.ts";

/** A JSON array whose items are read while it is sent, in place of the array. */
export type Streamed<T> = AsyncIterable<T>;

/** A value that is known only when what stands before it has been sent. A field whose value is `undefined` is left out. */
export type Late<T> = () => T | undefined;

/** The text of a JSON value, part by part. */
export async function* jsonTexts(value: unknown): AsyncGenerator<string, void> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) yield JSON.stringify(value);
  else if (Symbol.asyncIterator in value) yield* arrayTexts(value as Streamed<unknown>);
  else yield* objectTexts(value);
}

async function* arrayTexts(items: Streamed<unknown>): AsyncGenerator<string, void> {
  let separator = "[";
  for await (const item of items) {
    yield separator;
    yield JSON.stringify(item);
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

async function* objectTexts(fields: object): AsyncGenerator<string, void> {
  let separator = "{";
  for (const [name, field] of Object.entries(fields)) {
    const value: unknown = typeof field === "function" ? (field as Late<unknown>)() : field;
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    yield* jsonTexts(value);
    separator = ",";
  }
  yield separator === "{" ? "{}" : "}";
}

/** Answers 200 with a JSON value that has {@link Streamed} arrays or {@link Late} fields. A failure breaks the answer off. */
export function respondWithJsonStream(c: Context<AppEnv>, value: object): Response {
  const stream = textStream(
    jsonTexts(value),
    (error) => console.error({ event: "answer-broke-off", requestId: c.var.requestId, error: rootCause(error) }),
    () => c.set("hasLeft", true),
  );
  return c.body(stream, 200, { "content-type": "application/json" });
}
