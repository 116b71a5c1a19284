/** The schema of a template in the answers of `/v1/prompt_templates`. */
import * as z from "zod";

export const PromptTemplate = z
  .object({ name: z.string(), description: z.string(), template: z.string() })
  .meta({ id: "PromptTemplate" });
