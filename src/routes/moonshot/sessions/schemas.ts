/**
 * Schemas of the requests to `/v1/sessions`, and of a session in its responses. Its records are in `record-schemas.ts`,
 * statistics in `result-schemas.ts`.
 */
import * as z from "zod";
import { Content } from "../../../core/message.ts";
import { flag, name } from "../../http/fields.ts";
import { ignored } from "../schemas.ts";
import { History, truncated } from "./record-schemas.ts";

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

const include = z
  .enum(["receipt"])
  .optional()
  .meta({ description: "Adds the receipt of each record. Refused where the answer has no records" });

export const GetSession = z
  .strictObject({ include_history: flag.default(false), include })
  .refine((query) => query.include === undefined || query.include_history, {
    path: ["include"],
    message: "has no effect without include_history=true: add that, or leave out include",
  });

export const PromptQuery = z.strictObject({ include });

export const ListSessions = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  skip: z.coerce.number().int().min(0).default(0),
});

export const Session = z
  .object({
    session_id: z.string(),
    name: z.string(),
    description: z.string(),
    created_epoch: z.number(),
    created_datetime: z.string(),
    chat_ids: z.array(z.string()),
    endpoints: z.array(z.string()),
    prompt_template: z.string().nullable(),
    context_strategy: z.string().nullable(),
    filename: z.null(),
    chat_history: History.nullable(),
    truncated,
  })
  .meta({ id: "MoonshotSession" });

export const SessionResponse = z.object({ session: Session });
export const Sessions = z.array(Session);
