/** Moonshot 0.7 as a dialect. Sessions of both of Moonshot's APIs are the same, and `/v1` shows them to subscribers. */
import type { Dialect } from "../http/dialect.ts";
import { AttackReport } from "./attack-modules/report.ts";
import { respondWithProblem } from "../moonshot-shared/failures.ts";

export const moonshot07: Dialect = {
  prefix: "/api/v1",
  respondWithProblem,
  invalidInputStatus: 422,
  sessions: null,
  reportTurns: (session, env) => new AttackReport(session, env),
};
