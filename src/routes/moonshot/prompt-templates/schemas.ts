/** Schemas of the requests to `/v1/prompt_templates`. */
import * as z from "zod";
import { name } from "../../http/fields.ts";

/** The name is a segment of the path that deletes the template, and URLs drop the segments `.` and `..`. */
const templateName = name.refine((text) => text !== "." && text !== "..", "must not be . or ..");

export const CreatePromptTemplate = z.strictObject({
  name: templateName,
  description: z.string().max(1000).default(""),
  template: z.string().min(1).max(100_000),
});
