/** The schema of a session in the answers of `/v1/sessions`. Records are in `record-schemas.ts`, statistics in `result-schemas.ts`. */
import * as z from "zod";
import { BRIDGE_MODES } from "../../../core/bridge.ts";
import { History, truncated } from "./record-schemas.ts";

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
    system_prompt: z.string().nullable(),
    from_session: z
      .string()
      .optional()
      .meta({ description: "The chat session that it was made from. Absent otherwise, as is `mode`" }),
    mode: z.enum(BRIDGE_MODES).optional(),
    truncated,
  })
  .meta({ id: "MoonshotSession" });

export const SessionResponse = z.object({ session: Session });
export const Sessions = z.array(Session);
export const AdoptResponse = z.object({ success: z.literal(true), seq: z.number().int() }).meta({ id: "Adopted" });
