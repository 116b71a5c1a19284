/** Schemas of the answers of `/v1/runs`. */
import * as z from "zod";
import { REPLY_STATUSES } from "../../../core/message.ts";
import { RUN_STATUSES } from "../../../core/run.ts";
import { Distribution } from "../../http/response-fields.ts";
import { Usage } from "../sessions/record-schemas.ts";

const integer = z.number().int();
const byK = z.record(z.string(), z.number().nullable());

export const RunProgress = z
  .object({ done: integer, of: integer, errors: integer })
  .meta({ id: "RunProgress", description: "Answers: one for each endpoint and turn" });

const summary = {
  run_id: z.string(),
  name: z.string(),
  status: z.enum(RUN_STATUSES),
  created_epoch: z.number(),
  endpoints: z.array(z.string()),
  repeat: integer,
  progress: RunProgress,
};

export const RunSummary = z
  .object(summary)
  .meta({ id: "RunSummary", description: "A run as lists show it; its progress is at most some seconds old" });

export const Runs = z.array(RunSummary);

export const EndpointResult = z
  .object({
    ok: integer,
    cancelled: integer,
    errors: z.record(z.string(), integer).meta({ description: "How often each error occurred" }),
    passed: integer,
    judged: integer.meta({ description: "Last answers of items that have `expect`" }),
    mean: z.number().nullable().meta({ description: "passed / judged" }),
    interval: z
      .array(z.number())
      .length(2)
      .nullable()
      .meta({ description: "Wilson's interval of the mean, at 95 %: low and high" }),
    pass_at_k: byK.meta({
      description:
        "By k: the chance that at least one of k repetitions passes, as a mean over items with all repetitions",
    }),
    pass_hat_k: byK.meta({ description: "By k: the chance that all of k repetitions pass" }),
    duration_ms: Distribution.nullable().meta({ description: "Of answers with status ok, within 1.6 %" }),
    ttft_ms: Distribution.nullable(),
    usage: Usage,
    cost: z.number().nullable(),
  })
  .meta({ id: "EndpointResult", description: "The answers of one endpoint in a run" });

export const Run = z
  .object({
    ...summary,
    concurrency: integer,
    prompt_template: z.string().nullable(),
    context_strategy: z.string().nullable(),
    system_prompt: z.string().nullable(),
    order_seed: integer.nullable(),
    eta_seconds: integer.nullable().meta({ description: "null while it is not known" }),
    results: z.record(z.string(), EndpointResult).meta({ description: "By endpoint" }),
  })
  .meta({ id: "Run" });

/** An event of a run's stream. */
export const RunEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run-progress"), progress: RunProgress, eta_seconds: integer.nullable() }),
  z.object({ type: z.literal("run-ended"), status: z.enum(RUN_STATUSES) }),
]);

export const RunResponse = z.object({ run: Run });

export const RunResult = z
  .object({
    item_id: z.string(),
    repetition: integer,
    turn: integer,
    endpoint: z.string(),
    session_id: z.string(),
    chat_id: z.string(),
    chat_record_id: integer,
    status: z.enum(REPLY_STATUSES),
    error_code: z.string().nullable().meta({
      description:
        "Also `too_long_for_regex` of an answer that is ok, and not as expected because it could not be judged",
    }),
    pass: z.boolean().nullable().meta({ description: "null for an answer that is not judged" }),
    duration_ms: z.number().nullable(),
    cost: z.number().nullable(),
  })
  .meta({ id: "RunResult", description: "One answer of a run: its record is in its session" });

export const Results = z.object({ results: z.array(RunResult), total: integer });
