/**
 * The id of a request: made here, so that no caller can choose an id that another request has in the log. An id that
 * the caller sends is logged beside it. No effects other than a random id.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./context.ts";

/** Sets the id, and answers it as `x-request-id`. */
export const setRequestId: MiddlewareHandler<AppEnv> = async (c, next) => {
  const id = crypto.randomUUID();
  c.set("requestId", id);
  c.header("x-request-id", id);
  await next();
};

/** The ids of a request for a line of the log. The caller's own is left out when it does not look like an id. */
export function requestIdsOf(c: Context<AppEnv>): { requestId: string; callerRequestId?: string } {
  const callerRequestId = c.req.header("x-request-id") ?? "";
  return { requestId: c.var.requestId, ...(/^[\w.:=/+-]{1,200}$/.test(callerRequestId) ? { callerRequestId } : {}) };
}
