/** Schemas of the requests to `/v1/sessions`. */
import * as z from "zod";
import { Content } from "../../../core/message.ts";
import { flag, name } from "../../http/fields.ts";
import { ignored } from "../schemas.ts";

/** The id of an endpoint. */
const endpointId = z.string().min(1).max(300);

/** `null` and `""` mean no name. */
const optionalName = z
  .string()
  .max(200)
  .nullable()
  .transform((text) => (text === "" ? null : text))
  .default(null);

export const CreateSession = z.strictObject({
  name,
  description: z.string().max(1000).default(""),
  endpoints: z.array(endpointId).min(1).max(64),
  prompt_template: optionalName,
  context_strategy: optionalName,
});

export const Prompt = z.strictObject({
  prompt: Content.meta({ description: "Stored and sent unchanged, with leading and trailing blanks" }),
  history_length: ignored,
});

const include = z.enum(["receipt"]).optional();

export const GetSession = z.strictObject({ include_history: flag.default(false), include });

export const PromptQuery = z.strictObject({ include });

export const ListSessions = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  skip: z.coerce.number().int().min(0).default(0),
});
