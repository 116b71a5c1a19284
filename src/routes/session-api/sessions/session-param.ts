/**
 * Which session a call is about, and whether its caller may see it: once for all routes of `/sessions` that name a
 * session. Whether the session exists does not belong here: the handlers find out. Effects: a query to D1 for callers
 * of role `client`, and a cache in memory.
 */
import { asObjectId } from "../../../core/id.ts";
import type { IdValidator } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { isOwnSession } from "../../http/session-owners.ts";

export const SESSION_NOT_FOUND = { reason: "not-found", resource: "session", id: null } as const;

export const SESSION_NOT_ACTIVE = { reason: "session-not-active" } as const;

/**
 * Validates the id of a session in the path, or in the query where the path has none. Place it after the validators of
 * body and query, and after roles.
 *
 * A caller of role `client` passes only for its own sessions. The session of another client is answered like a missing
 * one, after the same query to D1 and before the object is called: neither the text nor the time shows the difference.
 *
 * @param missing the answer for a session that the caller cannot see
 */
export const sessionParam =
  (missing: HttpProblem = SESSION_NOT_FOUND): IdValidator =>
  async (c, next) => {
    const id = asObjectId(c.req.param("id") ?? c.req.query("sessionId") ?? "");
    const isHidden = id === null || (c.var.caller.role === "client" && !(await isOwnSession(c, id)));
    if (isHidden) return respondWithProblem(c, missing);
    c.req.addValidatedData("param", { id });
    return next();
  };
