/**
 * `GET /me`: who the caller is, so that a program can check its token. It asks nothing of D1 beyond the check of the token.
 * No effects.
 */
import { Hono } from "hono/tiny";
import type * as z from "zod";
import type { Caller, CallerRole } from "../../../core/caller.ts";
import { isoTime } from "../../../core/time.ts";
import { allowEveryRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { itemBody, omitNulls } from "../envelope.ts";
import type { Me } from "./docs.ts";

const presentCaller = ({ id, clientId, expiresAt }: Caller, role: CallerRole): z.output<typeof Me> => ({
  id,
  role,
  ...omitNulls({ clientId, expiresAt: expiresAt === null ? null : isoTime(expiresAt) }),
});

export const me = new Hono<AppEnv>({ strict: false }).get("/", allowEveryRole, (c) => {
  const { caller } = c.var;
  return c.json(itemBody(presentCaller(caller, caller.role as CallerRole)));
});
