/** Schemas of the requests to `/v1/prompt_templates`. */
import * as z from "zod/mini";
import { name } from "../../http/fields.ts";

/** The name is a segment of the path that deletes the template, and URLs drop the segments `.` and `..`. */
const templateName = name.check(z.refine((text) => text !== "." && text !== "..", "must not be . or .."));

export const CreatePromptTemplate = z.strictObject({
  name: templateName,
  description: z._default(z.string().check(z.maxLength(1000)), ""),
  template: z.string().check(z.minLength(1), z.maxLength(100_000)),
});
