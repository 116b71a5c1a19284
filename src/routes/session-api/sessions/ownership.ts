/**
 * What a caller of role `client` may create, append and list: only its own. Which single session it may see does not
 * belong here: that is `session-param.ts`.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { Caller } from "../../../core/caller.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

/** A client may create sessions only for itself. */
export const requireOwnClient: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { clientId } = c.req.valid("json" as never) as { clientId: string };
  return isAllowed(c, (caller) => caller.clientId === clientId)
    ? next()
    : respondWithProblem(c, { reason: "forbidden" });
};

/** A client may append only messages of role `user`. */
export const requireUserRole: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { message } = c.req.valid("json" as never) as { message: { role: string } };
  return isAllowed(c, () => message.role === "user") ? next() : respondWithProblem(c, { reason: "forbidden" });
};

const isAllowed = (c: Context<AppEnv>, allowsClient: (caller: Caller) => boolean): boolean =>
  c.var.caller.role !== "client" || allowsClient(c.var.caller);

/** No client has this id. */
const NO_CLIENT = "";

/**
 * The client whose sessions to list; `null` for all clients. A client lists its own, and gets none of another client's.
 */
export function clientFilter({ role, clientId }: Caller, requested: string | undefined): string | null {
  if (role !== "client") return requested ?? null;
  return requested === undefined || requested === clientId ? (clientId ?? NO_CLIENT) : NO_CLIENT;
}
