/**
 * What the exports of all dialects have in common: the query, JSON Lines, and the answer with a file that is sent while
 * the log is read. The fields and columns of a file do not belong here: each dialect has its own. Effects: reads the
 * generator that it gets, and logs an export that breaks off.
 */
import type { Context } from "hono";
import * as z from "zod/mini";
import { rootCause } from "../../core/failure.ts";
import type { AppEnv } from "./context.ts";
import { flag } from "./fields.ts";
import { requestIdsOf } from "./request-id.ts";
import { LONG_CHARACTERS, textStream } from "./text-stream.ts";

export const ExportQuery = z
  .strictObject({
    format: z._default(z.enum(["jsonl", "csv"]), "jsonl"),
    layout: z.optional(
      z.enum(["long", "wide"]).check(
        z.meta({
          description:
            "With format=csv. long, the default: a row for each reply. wide: a row for each prompt, with a column for each endpoint",
        }),
      ),
    ),
    raw: z.optional(flag).check(
      z.meta({
        description:
          "With format=csv. Writes every cell exactly as it is. Otherwise a cell that a spreadsheet may take for a formula gets a leading '",
        examples: ["1"],
      }),
    ),
  })
  .check(
    z.superRefine((query, context) => {
      for (const name of ["layout", "raw"] as const)
        if (query.format !== "csv" && query[name] !== undefined)
          context.addIssue({ code: "custom", path: [name], message: "is for format=csv only" });
    }),
  );
export type ExportQuery = z.output<typeof ExportQuery>;

/** JSON allows them in strings, but some readers take them for the end of a line. */
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/g;
const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A line of JSON Lines, in parts: each long field by itself, because a record has its prompt twice. https://jsonlines.org */
export function* jsonLine(value: object): Generator<string, void> {
  let text = "{";
  let separator = "";
  for (const [name, field] of Object.entries(value)) {
    const json = JSON.stringify(field) as string | undefined;
    if (json === undefined) continue;
    text += `${separator}${JSON.stringify(name)}:`;
    separator = ",";
    const escaped = json.replace(LINE_SEPARATORS, escapeCharacter);
    if (json.length < LONG_CHARACTERS) {
      text += escaped;
      continue;
    }
    yield text;
    yield escaped;
    text = "";
  }
  yield `${text}}\n`;
}

const CONTENT_TYPES = {
  jsonl: "application/jsonl",
  csv: "text/csv; charset=utf-8",
  json: "application/json",
  xml: "application/xml",
} as const;

/** The longest name of an exported file, without its extension: file systems allow 255 bytes. */
const FILE_NAME_CHARACTERS = 200;

/**
 * The end of an id has its time stamp, which differs between sessions of one name, so a long id loses its beginning.
 */
const fileNameOf = (id: string): string => id.replace(/[^\w-]/g, "_").slice(-FILE_NAME_CHARACTERS);

interface ExportedFile {
  /** Of the session or the run: the name of the file. */
  sessionId: string;
  format: keyof typeof CONTENT_TYPES;
  texts: AsyncGenerator<string, void>;
}

/** Answers a file that is produced as fast as the caller reads it. */
export function respondWithFile(c: Context<AppEnv>, { sessionId, format, texts }: ExportedFile): Response {
  const stream = textStream(
    texts,
    (error) => console.error({ event: "export-broke-off", ...requestIdsOf(c), error: rootCause(error) }),
    () => c.set("hasLeft", true),
  );
  return c.body(stream, 200, {
    "content-type": CONTENT_TYPES[format],
    "content-disposition": `attachment; filename="${fileNameOf(sessionId)}.${format}"`,
  });
}
