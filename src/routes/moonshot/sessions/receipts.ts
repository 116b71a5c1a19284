/** Refuses `include=receipt` where it has no effect because of a header. No effects. */
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { wantsEvents } from "../../http/subscribe.ts";

const NOT_IN_STREAM: HttpProblem = {
  reason: "invalid-input",
  in: "query",
  issues: [
    {
      code: "value_error",
      path: ["include"],
      message:
        "has no effect on a stream of events: read the receipts with GET, include_history=true and include=receipt",
    },
  ],
};

/** Events have no receipts. */
export const refuseReceiptsInStream: MiddlewareHandler<AppEnv> = async (c, next) =>
  c.req.query("include") !== undefined && wantsEvents(c) ? respondWithProblem(c, NOT_IN_STREAM) : next();
