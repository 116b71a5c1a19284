import type { Context, MiddlewareHandler } from "hono";
import { asObjectId } from "../../../core/id.ts";
import type { Caller } from "../../../core/caller.ts";
import { database } from "../../../store/database.ts";
import { clientOfSession } from "../../../store/sessions.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";

/** How many sessions are known to be whose: a client talks in few, and again and again. */
const MAX_CACHED_OWNERS = 10_000;

/** Sessions found to be a caller's own, with their clients. Whose a session is never changes. */
const cachedOwners = new Map<string, string>();

/**
 * Lets a client through to its own sessions only. Another's is answered like one that is not there: behind the same look-up
 * in the index database, before its object is asked, so that neither text nor time tells them apart. Others pass.
 *
 * @param missing how the route answers for a session that is not there
 */
export const requireOwnSession =
  (missing: HttpProblem): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const { role, clientId } = c.var.caller;
    if (role !== "client") return next();
    const id = asObjectId(c.req.param("id") ?? c.req.query("sessionId") ?? "");
    return id !== null && (await belongsTo(c, id, clientId)) ? next() : respondWithProblem(c, missing);
  };

async function belongsTo(c: Context<AppEnv>, id: string, clientId: string | null): Promise<boolean> {
  if (cachedOwners.get(id) === clientId) return true;
  if ((await measure(c, "index", clientOfSession(database(c.env.DB), id))) !== clientId) return false;
  if (cachedOwners.size >= MAX_CACHED_OWNERS) cachedOwners.clear();
  cachedOwners.set(id, clientId ?? "");
  return true;
}

/** Lets a client create sessions of its own only. */
export const requireOwnClient: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { clientId } = c.req.valid("json" as never) as { clientId: string };
  return isAllowed(c, (caller) => caller.clientId === clientId)
    ? next()
    : respondWithProblem(c, { reason: "forbidden" });
};

/** Lets a client speak for itself only. */
export const requireUserRole: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { message } = c.req.valid("json" as never) as { message: { role: string } };
  return isAllowed(c, () => message.role === "user") ? next() : respondWithProblem(c, { reason: "forbidden" });
};

const isAllowed = (c: Context<AppEnv>, toClient: (caller: Caller) => boolean): boolean =>
  c.var.caller.role !== "client" || toClient(c.var.caller);

/** Nobody has this id. */
const NOBODY = "";

/** Whose sessions a list is to hold, `null` for everyone's: a client lists its own, and finds none of another's. */
export function clientFilter({ role, clientId }: Caller, asked: string | undefined): string | null {
  if (role !== "client") return asked ?? null;
  return asked === undefined || asked === clientId ? (clientId ?? NOBODY) : NOBODY;
}
