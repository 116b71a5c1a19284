/**
 * Schemas for the results of a session: export and statistics. The columns and lines of an exported file are in
 * `export-formats.ts`.
 */
import * as z from "zod";
import { Usage } from "./record-schemas.ts";

export const Export = z.strictObject({ format: z.enum(["jsonl", "csv"]).default("jsonl") });

const integer = z.number().int();
const counts = z.record(z.string(), integer);

const Distribution = z
  .object({ min: integer, p50: integer, p90: integer, p95: integer, p99: integer, max: integer })
  .meta({ id: "Distribution", description: "Milliseconds, by nearest rank, of the replies with status ok" });

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
