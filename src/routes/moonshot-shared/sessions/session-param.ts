/**
 * Which session a call is about: once for all routes of `/v1/sessions` that name one. Whether the session exists does
 * not belong here: the handlers find out.
 */
import type { IdValidator } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

export const sessionNotFound = (id: string) => ({ reason: "not-found", resource: "session", id }) as const;

/** The end of every comparison session's id. Without this check any text in a path would create an object. */
const SESSION_ID = /_\d{8}-\d{6}(-\d+)?$/;

/** Validates the session's id in the path. Place it after the validators of body and query, and after roles. */
export const sessionParam: IdValidator = async (c, next) => {
  const id = c.req.param("id") ?? "";
  if (!SESSION_ID.test(id)) return respondWithProblem(c, sessionNotFound(id));
  c.req.addValidatedData("param", { id });
  return next();
};
