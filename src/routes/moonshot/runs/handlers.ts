/**
 * The handlers of `/v1/runs`: each gets input that has been validated. Making a run is in `create-run.ts`. Effects: RPC to
 * the run's object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { runStub } from "../../../runs/run-client.ts";
import { deleteRun as remove, listRuns as list } from "../../../store/runs.ts";
import type { StoredRun } from "../../../store/runs.ts";
import { database } from "../../../store/database.ts";
import { audit } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readFromReplica } from "../../http/context.ts";
import { respondWithFile } from "../../http/export.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { nextPage } from "../../moonshot-shared/sessions/list-sessions.ts";
import { EXPORT_FORMATS } from "./export-formats.ts";
import { exportedResults } from "./exported-answers.ts";
import { presentResult, presentRun, presentSummary } from "./present.ts";
import { runNotFound } from "./run-param.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

export async function listRuns(c: AppContext, { limit, skip }: z.output<typeof schemas.ListRuns>) {
  // One more than the page shows whether there is a next page.
  const runs = await readFromReplica(c, (db) => list(db, { limit: limit + 1, skip }));
  if (runs.length > limit) c.header("link", `<${nextPage(c.req.url, limit, skip + limit)}>; rel="next"`);
  return c.json(runs.slice(0, limit).map(presentSummary));
}

export async function getRun(c: AppContext, run: StoredRun) {
  const found = await measure(c, "session", runStub(c.env, run.objectId).read());
  return found ? c.json(presentRun({ ...found, id: run.id })) : respondWithProblem(c, runNotFound(run.id));
}

export async function changeStatus(c: AppContext, run: StoredRun, to: "running" | "paused" | "cancelled") {
  await measure(c, "session", runStub(c.env, run.objectId).changeStatus({ to }));
  return c.json(SUCCESS);
}

export async function retryErrors(c: AppContext, run: StoredRun) {
  await measure(c, "session", runStub(c.env, run.objectId).retryErrors());
  return c.json(SUCCESS);
}

export async function exportRun(c: AppContext, run: StoredRun, query: z.output<typeof schemas.ExportRun>) {
  const found = await measure(c, "session", runStub(c.env, run.objectId).read());
  if (!found) return respondWithProblem(c, runNotFound(run.id));
  const { extension, textsOf } = EXPORT_FORMATS[query.format];
  const texts = textsOf(found, exportedResults(runStub(c.env, run.objectId)), query);
  return respondWithFile(c, { sessionId: run.id, format: extension, texts });
}

export async function listResults(c: AppContext, run: StoredRun, input: z.output<typeof schemas.ListResults>) {
  const { limit, skip, ...filter } = input;
  if (filter.endpoint !== undefined && !run.endpoints.includes(filter.endpoint))
    return respondWithProblem(c, { reason: "not-found", resource: "endpoint", id: filter.endpoint });
  const page = await measure(c, "session", runStub(c.env, run.objectId).results({ filter, limit, skip }));
  return c.json({ results: page.results.map(presentResult), total: page.total });
}

export async function followRun(c: AppContext, run: StoredRun) {
  const stub = runStub(c.env, run.objectId);
  const events = await measure(c, "session", stub.follow({ caller: c.get("caller").id }));
  if (!events) return respondWithProblem(c, { reason: "too-many-subscribers", resource: "run" });
  return c.body(events, 200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" });
}

export async function deleteRun(c: AppContext, run: StoredRun) {
  await measure(c, "session", runStub(c.env, run.objectId).remove());
  await measure(c, "index", remove(database(c.env.DB), run.id));
  audit(c, "run-deleted", { runId: run.id });
  return c.json(SUCCESS);
}
