/**
 * `GET /me`: who the caller is, so that a program can check its token. It asks nothing of D1 beyond the check of the token.
 * No effects.
 */
import { Hono } from "hono/tiny";
import * as z from "zod";
import { CALLER_ROLES } from "../../../core/caller.ts";
import type { Caller, CallerRole } from "../../../core/caller.ts";
import { isoTime } from "../../../core/time.ts";
import { allowClients } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { objectId, timeOutput } from "../../http/fields.ts";
import { describe } from "../../openapi/describe.ts";
import { itemBody, itemSchema, omitNulls } from "../envelope.ts";

const Me = z
  .object({
    id: z.string().meta({
      description: "Id of the API key; `admin`, `anonymous`, or `jwt:` with the claim `sub`",
    }),
    role: z.enum(CALLER_ROLES),
    clientId: objectId.optional().meta({ description: "With role `client`" }),
    expiresAt: timeOutput.optional().meta({ description: "Until when the token is accepted, if it expires" }),
  })
  .meta({ id: "Me" });

const presentCaller = ({ id, clientId, expiresAt }: Caller, role: CallerRole): z.output<typeof Me> => ({
  id,
  role,
  ...omitNulls({ clientId, expiresAt: expiresAt === null ? null : isoTime(expiresAt) }),
});

export const me = new Hono<AppEnv>({ strict: false }).get(
  "/",
  describe({
    id: "getMe",
    tag: "Keys",
    summary: "Who the caller is: role, client and expiry of its token",
    response: { status: 200, description: "The caller", schema: itemSchema(Me) },
    problems: [403],
  }),
  allowClients,
  (c) => {
    const { caller } = c.var;
    return c.json(itemBody(presentCaller(caller, caller.role as CallerRole)));
  },
);
