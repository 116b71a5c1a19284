/**
 * What a caller of role `client` may create, append and list: only its own. Which single session it may see does not
 * belong here: that is `session-param.ts`.
 */
import type { MiddlewareHandler } from "hono";
import { CANNOT_APPEND, canAppend } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Role } from "../../../core/message.ts";
import type { AppEnv, BodyMiddleware } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

/** Middleware after which the body of a new session has a `clientId`. */
type ClientResolver = MiddlewareHandler<AppEnv, string, { in: object; out: { json: { clientId: string } } }>;

const CLIENT_MISSING: HttpProblem = {
  reason: "invalid-input",
  in: "body",
  issues: [{ code: "missing", path: ["clientId"], message: "is required: only a client may leave out its own" }],
};

const OTHER_CLIENT: HttpProblem = {
  reason: "forbidden",
  message: "A token of role client creates sessions for its own client only: leave out clientId",
};

/** A client may create sessions only for itself, and need not say so. */
export const requireOwnClient: ClientResolver = async (c, next) => {
  const { role, clientId } = c.var.caller;
  // The type of the validated body is that for later handlers: here its `clientId` may be missing.
  const body: { clientId?: string } = c.req.valid("json");
  const requested = body.clientId ?? (role === "client" ? clientId : null);
  if (requested === null) return respondWithProblem(c, CLIENT_MISSING);
  if (role === "client" && requested !== clientId) return respondWithProblem(c, OTHER_CLIENT);
  c.req.addValidatedData("json", { ...body, clientId: requested });
  return next();
};

/** Whether the caller may append a message of this role is the rule of {@link canAppend}, for sockets too. */
export const requireUserRole: BodyMiddleware<{ message: { role: Role } }> = async (c, next) => {
  const { message } = c.req.valid("json");
  return canAppend(c.var.caller, message.role)
    ? next()
    : respondWithProblem(c, { reason: "forbidden", message: CANNOT_APPEND });
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
