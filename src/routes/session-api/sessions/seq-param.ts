/**
 * Validates the `seq` of a message in the path. One without the form of a `seq` names nothing. Whether the message exists
 * does not belong here: the session knows.
 */
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

export const requireSeq: MiddlewareHandler<AppEnv> = async (c, next) => {
  const seq = c.req.param("seq") ?? "";
  return /^[1-9]\d{0,6}$/.test(seq)
    ? next()
    : respondWithProblem(c, { reason: "not-found", resource: "message", id: seq });
};

/** Only after {@link requireSeq}. */
export const seqOf = (c: { req: { param: (name: string) => string | undefined } }): number =>
  Number(c.req.param("seq"));
