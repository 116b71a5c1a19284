/** The JSON of a run and of its answers. Pure. */
import type * as z from "zod";
import { noFigures, showFigures } from "../../../core/run-figures.ts";
import type { ShownFigures } from "../../../core/run-figures.ts";
import { DEFAULT_CONCURRENCY } from "../../../core/run.ts";
import type { RunResult, RunSummary } from "../../../core/run.ts";
import type { RunSettings, RunSnapshot } from "../../../runs/run-client.ts";
import type * as responses from "./response-schemas.ts";

export const presentSummary = (run: RunSummary): z.output<typeof responses.RunSummary> => ({
  run_id: run.id,
  name: run.name,
  status: run.status,
  created_epoch: run.createdAt / 1000,
  endpoints: run.endpoints,
  repeat: run.repeat,
  progress: run.progress,
});

const NO_SETTINGS: RunSettings = {
  concurrency: DEFAULT_CONCURRENCY,
  orderSeed: null,
  promptTemplate: null,
  contextStrategy: null,
  systemPrompt: null,
};

const presentSettings = (settings: RunSettings) => ({
  concurrency: settings.concurrency,
  prompt_template: settings.promptTemplate,
  context_strategy: settings.contextStrategy,
  system_prompt: settings.systemPrompt,
  order_seed: settings.orderSeed,
});

export const presentRun = (run: RunSnapshot): z.output<typeof responses.RunResponse> => ({
  run: {
    ...presentSummary(run),
    ...presentSettings(run.settings ?? NO_SETTINGS),
    eta_seconds: run.etaSeconds,
    results: Object.fromEntries(run.results.map(({ endpoint, figures }) => [endpoint, presentFigures(figures)])),
  },
});

/** A run that has no answers yet. */
export const presentNewRun = (run: RunSummary, settings: RunSettings): z.output<typeof responses.RunResponse> => ({
  run: {
    ...presentSummary(run),
    ...presentSettings(settings),
    eta_seconds: null,
    results: Object.fromEntries(run.endpoints.map((endpoint) => [endpoint, withoutAnswers(run.repeat)])),
  },
});

const withoutAnswers = (repeat: number) => presentFigures(showFigures(noFigures(), repeat));

const presentFigures = (figures: ShownFigures): z.output<typeof responses.EndpointResult> => ({
  ok: figures.ok,
  cancelled: figures.cancelled,
  errors: figures.errors,
  passed: figures.passed,
  judged: figures.judged,
  mean: figures.mean,
  interval: figures.interval,
  pass_at_k: figures.passAtK,
  pass_hat_k: figures.passHatK,
  duration_ms: figures.durationMs,
  ttft_ms: figures.ttftMs,
  usage: { input_tokens: figures.inputTokens, output_tokens: figures.outputTokens },
  cost: figures.cost,
});

export const presentResult = (result: RunResult): z.output<typeof responses.RunResult> => ({
  item_id: result.itemId,
  repetition: result.repetition,
  turn: result.turn,
  endpoint: result.endpoint,
  session_id: result.sessionId,
  chat_id: result.chatId,
  chat_record_id: result.chatRecordId,
  status: result.status,
  error_code: result.errorCode,
  pass: result.pass,
  duration_ms: result.durationMs,
  cost: result.cost,
});
