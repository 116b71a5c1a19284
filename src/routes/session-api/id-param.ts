/**
 * Validates the id in the path of a route of the Session API. A path id without the form of an id names nothing, so it
 * is answered as not found. Validating ids in bodies and queries does not belong here: their schemas do that.
 */
import { asObjectId } from "../../core/id.ts";
import type { IdValidator } from "../http/context.ts";
import type { HttpProblem } from "../http/problem.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";

/**
 * Validates the path's id and turns it into lower case. Place it after the validators of body and query, and after
 * roles.
 */
export const idParam =
  (missing: HttpProblem): IdValidator =>
  async (c, next) => {
    const id = asObjectId(c.req.param("id") ?? "");
    if (id === null) return respondWithProblem(c, missing);
    c.req.addValidatedData("param", { id });
    return next();
  };
