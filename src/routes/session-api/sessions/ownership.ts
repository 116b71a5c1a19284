/**
 * What a caller of role `client` may create, append and list: only its own. Which single session it may see does not
 * belong here: that is `session-param.ts`.
 */
import { canAppend } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Role } from "../../../core/message.ts";
import type { BodyMiddleware } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

/** A client may create sessions only for itself. */
export const requireOwnClient: BodyMiddleware<{ clientId: string }> = async (c, next) => {
  const { role, clientId } = c.var.caller;
  return role !== "client" || clientId === c.req.valid("json").clientId
    ? next()
    : respondWithProblem(c, { reason: "forbidden" });
};

/** Whether the caller may append a message of this role is the rule of {@link canAppend}, for sockets too. */
export const requireUserRole: BodyMiddleware<{ message: { role: Role } }> = async (c, next) => {
  const { message } = c.req.valid("json");
  return canAppend(c.var.caller, message.role) ? next() : respondWithProblem(c, { reason: "forbidden" });
};

/** No client has this id. */
const NO_CLIENT = "";

/**
 * The client whose sessions to list; `null` for all clients. A client lists its own, and gets none of another client's.
 */
export function clientFilter({ role, clientId }: Caller, requested: string | undefined): string | null {
  if (role !== "client") return requested ?? null;
  return requested === undefined || requested === clientId ? (clientId ?? NO_CLIENT) : NO_CLIENT;
}
