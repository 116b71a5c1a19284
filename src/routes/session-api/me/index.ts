/**
 * `GET /me`: who the caller is, so that a program can check its token. Effects: a query to D1 for a JWT of role `client`.
 */
import type { Context } from "hono";
import { Hono } from "hono/tiny";
import type * as z from "zod";
import type { Caller, CallerRole } from "../../../core/caller.ts";
import { isoTime } from "../../../core/time.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { database } from "../../../store/database.ts";
import { allowEveryRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { CLIENT_NOT_FOUND } from "../clients/handlers.ts";
import { itemBody, omitNulls } from "../envelope.ts";
import type { Me } from "./docs.ts";

const presentCaller = ({ id, clientId, expiresAt }: Caller, role: CallerRole): z.output<typeof Me> => ({
  id,
  role,
  ...omitNulls({ clientId, expiresAt: expiresAt === null ? null : isoTime(expiresAt) }),
});

/** Whether the caller's client exists. An API key is deleted with its client, but a JWT goes on being valid. */
async function hasClient(c: Context<AppEnv>): Promise<boolean> {
  const { keyId, clientId } = c.var.caller;
  if (keyId !== null || clientId === null) return true;
  return (await measure(c, "index", clientStore.find(database(c.env.DB), clientId))) !== null;
}

export const me = new Hono<AppEnv>({ strict: false }).get("/", allowEveryRole, async (c) => {
  const { caller } = c.var;
  if (!(await hasClient(c))) return respondWithProblem(c, CLIENT_NOT_FOUND);
  return c.json(itemBody(presentCaller(caller, caller.role as CallerRole)));
});
