/** Schemas of statistics. The columns and lines of an exported file are in `export-formats.ts`. */
import * as z from "zod";
import { Distribution } from "../../http/response-fields.ts";
import { Usage } from "./record-schemas.ts";

const integer = z.number().int();
const counts = z.record(z.string(), integer);

export const ReplyStatistics = z
  .object({
    count: integer.meta({ description: "Records" }),
    ok: integer,
    cancelled: integer,
    errors: counts.meta({ description: "How often each error occurred, cancelled replies not included" }),
    finish_reasons: counts,
    duration_ms: Distribution.nullable(),
    ttft_ms: Distribution.nullable(),
    usage: Usage,
    cost: z.number().nullable().meta({ description: "The cost of the records whose usage and prices are known" }),
    priced: integer.meta({ description: "How many records the cost includes" }),
    attempts: integer,
  })
  .meta({ id: "ReplyStatistics" });

export const Statistics = z
  .object({
    session_id: z.string(),
    chats: z.array(z.object({ chat_id: z.string(), endpoint: z.string(), ...ReplyStatistics.shape })),
    total: ReplyStatistics,
  })
  .meta({ id: "Statistics", description: "Statistics of a comparison session" });
