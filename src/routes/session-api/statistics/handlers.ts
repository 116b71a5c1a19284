/**
 * The handler of `/chatbots/:id/stats` and `/clients/:id/stats`. Their routes are among those of chatbots and clients.
 *
 * In this folder: `docs` describes them for OpenAPI, `schemas` and `response-schemas` have their input and their answer,
 * `present` makes the JSON. Effects: a query to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { dayOf } from "../../../core/conversation-statistics.ts";
import type { StatisticsScope } from "../../../core/conversation-statistics.ts";
import { readStatistics } from "../../../store/statistics.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { itemBody } from "../envelope.ts";
import { presentStatistics } from "./present.ts";
import type * as schemas from "./schemas.ts";

/** Before and after all days. */
const EVER = { first: -1e9, last: 1e9 };

export async function getStatistics(
  c: Context<AppEnv>,
  scope: StatisticsScope,
  id: string,
  { startDate, endDate }: z.output<typeof schemas.StatisticsQuery>,
) {
  const days = {
    first: startDate ? dayOf(startDate.from) : EVER.first,
    last: endDate ? dayOf(endDate.from) : EVER.last,
  };
  const statistics = await readFromReplica(c, (db) => readStatistics(db, scope, id, days));
  return statistics
    ? c.json(itemBody(presentStatistics(statistics)))
    : respondWithProblem(c, { reason: "not-found", resource: scope, id: null });
}
