/** Schemas of the answers of `/api/v1/sessions`. */
import * as z from "zod";

export const Session = z
  .object({
    session_id: z.string(),
    description: z.string(),
    endpoints: z.array(z.string()),
    created_epoch: z.string().meta({ description: "Seconds" }),
    created_datetime: z.string(),
    prompt_template: z.string().meta({ description: "Empty for none" }),
    context_strategy: z.string().meta({ description: "Empty for none" }),
    cs_num_of_prev_prompts: z
      .number()
      .int()
      .nullable()
      .meta({ description: "How many previous prompts the strategy adds; null for all" }),
    attack_module: z.string().meta({ description: "Empty for none" }),
    metric: z.string().meta({ description: "Always empty: Parley has no metrics" }),
    system_prompt: z.string().meta({ description: "Empty for none" }),
  })
  .meta({ id: "Moonshot07Session" });

export const ChatRecord = z
  .object({
    chat_record_id: z.number().int(),
    conn_id: z.string(),
    context_strategy: z.string(),
    prompt_template: z.string(),
    attack_module: z.string(),
    metric: z.string(),
    prompt: z.string(),
    prepared_prompt: z.string(),
    system_prompt: z.string(),
    predicted_result: z
      .string()
      .meta({ description: "The text of the reply; when it failed, the code and the message" }),
    duration: z.string().meta({ description: "Seconds; empty when unknown: the reply was interrupted" }),
    prompt_time: z.string(),
  })
  .meta({ id: "Moonshot07ChatRecord" });

export const ChatRecords = z
  .record(z.string(), z.array(ChatRecord))
  .meta({ id: "Moonshot07ChatRecords", description: "The records of every endpoint, oldest first, by endpoint id" });

export const Sessions = z.array(Session);

export const SessionNames = z.array(z.string());

export const SessionResponse = z
  .object({
    session_name: z.string(),
    session_description: z.string(),
    session: Session,
    chat_records: ChatRecords.nullable(),
    truncated: z.literal(true).optional().meta({ description: "Earlier records are left out. Absent otherwise" }),
  })
  .meta({ id: "Moonshot07SessionResponse" });

const Prompted = z
  .object({
    current_runner_id: z.string(),
    current_chats: ChatRecords,
    current_batch_size: z.number().int(),
    current_status: z.string(),
  })
  .meta({ id: "Moonshot07PromptResponse", description: "The new records only" });

export const PromptResponse = z.union([
  Prompted,
  z.string().meta({ description: "The id of the session, when an attack module is set" }),
]);
