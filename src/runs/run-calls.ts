/**
 * What the methods of a run's object take and return. All of it is plain values, because it crosses RPC. Types only. Pure.
 */
import type { ShownFigures } from "../core/run-figures.ts";
import type { ResultFilter, RunItem, RunPlan, RunResult, RunSummary } from "../core/run.ts";

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

export interface ExportParams {
  /** The number of the first answer, from 0. */
  from: number;
}

/** A run with its figures. */
export interface RunSnapshot extends RunSummary {
  /** `null` while it is not known, and unless it runs. */
  etaSeconds: number | null;
  /** By endpoint; one that is named twice has the answers of both. */
  results: { endpoint: string; figures: ShownFigures }[];
}

export interface ResultsPage {
  results: RunResult[];
  total: number;
}
