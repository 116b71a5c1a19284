/** Schemas of the requests to `/api/v1/bookmarks`. */
import * as z from "zod/mini";
import { flag } from "../../http/fields.ts";
import { bookmarkName } from "../../moonshot-shared/bookmarks/fields.ts";
import { ignored } from "../../moonshot-shared/schemas.ts";

const text = z.string().check(z.minLength(1), z.maxLength(400_000));

/** The name of a template, a strategy, a module or a metric; `""` and `null` for none. */
const optionalName = z._default(
  z.pipe(
    z.nullable(z.string().check(z.maxLength(200))),
    z.transform((name) => name ?? ""),
  ),
  "",
);

export const CreateBookmark = z.strictObject({
  name: bookmarkName,
  prompt: text,
  prepared_prompt: text,
  response: text,
  context_strategy: optionalName,
  prompt_template: optionalName,
  attack_module: optionalName,
  metric: optionalName,
  bookmark_time: ignored,
});

export const ListBookmarks = z.strictObject({ name: z.optional(bookmarkName) });

export const DeleteBookmarks = z
  .strictObject({ name: z.optional(bookmarkName), all: z._default(flag, false) })
  .check(
    z.refine(({ name, all }) => all || name !== undefined, { path: ["name"], message: "name or all=true required" }),
  );

export const ExportBookmarks = z.strictObject({
  export_file_name: z._default(
    z.string().check(z.regex(/^[\w .-]{1,100}$/, "must be letters, digits, blanks and _ . - only")),
    "bookmarks",
  ),
});
