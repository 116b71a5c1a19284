/** The schema of statistics in an answer. */
import * as z from "zod";
import { Distribution } from "../../http/response-fields.ts";

const integer = z.number().int();

export const Statistics = z
  .object({
    sessions: integer.meta({ description: "Sessions that were created" }),
    turns: integer,
    messages: integer.meta({ description: "Messages with text" }),
    replies: z.object({
      ok: integer,
      cancelled: integer,
      errors: z
        .record(z.string(), integer)
        .meta({ description: "How often each error occurred, cancelled replies not included" }),
    }),
    ttft_ms: Distribution.optional(),
    duration_ms: Distribution.optional(),
    usage: z.object({ input_tokens: integer, output_tokens: integer }),
    cost: z
      .number()
      .optional()
      .meta({ description: "The cost of the replies whose usage and prices are known. Absent if there are none" }),
    ratings: z.object({ up: integer, down: integer }),
    takeovers: integer,
  })
  .meta({ id: "ConversationStatistics", description: "Statistics of all sessions of a chatbot or a client" });
