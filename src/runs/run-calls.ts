/**
 * What the methods of a run's object take and return. All of it is plain values, because it crosses RPC. Pure.
 */
import type { ShownFigures } from "../core/run-figures.ts";
import type { ResultFilter, RunItem, RunPlan, RunResult, RunSummary } from "../core/run.ts";
import type { Session } from "../core/session.ts";

export interface AddItemsParams {
  items: RunItem[];
}

export interface PlanParams {
  plan: RunPlan;
}

export interface StartParams {
  runId: string;
}

export interface ChangeStatusParams {
  to: "running" | "paused" | "cancelled";
}

export interface ResultsParams {
  filter: ResultFilter;
  limit: number;
  skip: number;
}

export interface FollowParams {
  /** The id of the caller. */
  caller?: string;
}

export interface ExportParams {
  /** The number of the first answer, from 0. */
  from: number;
}

/** What a run was made with, besides what lists show. */
export type RunSettings = Pick<RunPlan, "concurrency" | "orderSeed"> &
  Pick<Session, "promptTemplate" | "contextStrategy" | "systemPrompt">;

export const settingsOf = ({ concurrency, orderSeed, session }: RunPlan): RunSettings => ({
  concurrency,
  orderSeed,
  promptTemplate: session.promptTemplate,
  contextStrategy: session.contextStrategy,
  systemPrompt: session.systemPrompt,
});

/** A run with its figures. */
export interface RunSnapshot extends RunSummary {
  /** Absent from an object of an earlier release. */
  settings?: RunSettings;
  /** `null` while it is not known, and unless it runs. */
  etaSeconds: number | null;
  /** By endpoint; one that is named twice has the answers of both. */
  results: { endpoint: string; figures: ShownFigures }[];
}

export interface ResultsPage {
  results: RunResult[];
  total: number;
}
