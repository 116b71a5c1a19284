/** The schema of a request for statistics. */
import * as z from "zod/mini";
import { timeRange } from "../../http/fields.ts";

export const StatisticsQuery = z.strictObject({
  startDate: z.optional(timeRange).check(z.meta({ description: "The first day, in UTC. Of a time, its day counts" })),
  endDate: z.optional(timeRange).check(z.meta({ description: "The last day, in UTC. Of a time, its day counts" })),
});
