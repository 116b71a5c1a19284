/** The Moonshot API as a dialect: how it shows a session to subscribers. Its routes are in `index.ts`. */
import type { Dialect } from "../http/dialect.ts";
import { respondWithProblem } from "../moonshot-shared/failures.ts";
import { presentSession } from "./sessions/present.ts";

export const moonshot: Dialect = {
  prefix: "/v1",
  respondWithProblem,
  invalidInputStatus: 422,
  sessions: { kind: "comparison", present: (session, zone) => presentSession(session, zone, null) },
};
