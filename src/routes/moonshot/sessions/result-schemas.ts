import * as z from "zod";
import { Usage } from "../schemas.ts";

export const Export = z.object({ format: z.enum(["jsonl", "csv"]).default("jsonl") });

const whole = z.number().int();
const counts = z.record(z.string(), whole);

const Spread = z
  .object({ min: whole, p50: whole, p90: whole, p95: whole, p99: whole, max: whole })
  .meta({ id: "Spread", description: "Milliseconds, by nearest rank, of the replies that are ok" });

export const Numbers = z
  .object({
    count: whole.meta({ description: "Records" }),
    ok: whole,
    cancelled: whole,
    errors: counts.meta({ description: "How often each error came; the cancelled are not among them" }),
    finish_reasons: counts,
    duration_ms: Spread.nullable(),
    ttft_ms: Spread.nullable(),
    usage: Usage,
    cost: z.number().nullable().meta({ description: "Of the records whose usage and prices are known" }),
    priced: whole.meta({ description: "How many records the cost is of" }),
    attempts: whole,
  })
  .meta({ id: "Numbers" });

export const Statistics = z
  .object({
    session_id: z.string(),
    chats: z.array(z.object({ chat_id: z.string(), endpoint: z.string(), ...Numbers.shape })),
    total: Numbers,
  })
  .meta({ id: "Statistics", description: "A comparison session in numbers" });
