/** Fields of requests for bookmarks in both of Moonshot's APIs. */
import * as z from "zod/mini";
import { isNotBlank } from "../../http/fields.ts";

/** It is a segment of a path, and URLs drop the segments `.` and `..`. */
export const bookmarkName = z.string().check(
  z.minLength(1, { abort: true }),
  z.maxLength(100),
  z.refine(isNotBlank, "must not be blank"),
  z.refine((text) => text !== "." && text !== "..", "must not be . or .."),
);
