/** The way to the objects of runs: the Worker reaches them only by this file. Effects: RPC. */
import type { RunObject } from "./run-object.ts";

export type { ExportedItem, ExportedResult, ExportPage } from "./run-results.ts";
export { settingsOf } from "./run-calls.ts";
export type { ResultsPage, RunSettings, RunSnapshot } from "./run-calls.ts";

export type RunStub = Pick<
  RunObject,
  | "begin"
  | "addItems"
  | "setPlan"
  | "discard"
  | "start"
  | "read"
  | "changeStatus"
  | "retryErrors"
  | "results"
  | "export"
  | "follow"
  | "remove"
>;

/** The object of a run. */
export const runStub = (env: Env, objectId: string): RunStub =>
  env.RUNS.get(env.RUNS.idFromString(objectId)) as unknown as RunStub;

/** A new object for a run that is being made. */
export const newRunObjectId = (env: Env): string => env.RUNS.newUniqueId().toString();
