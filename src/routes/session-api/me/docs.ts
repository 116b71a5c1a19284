/** `GET /me` as the OpenAPI document describes it. */
import * as z from "zod";
import { CALLER_ROLES } from "../../../core/caller.ts";
import { idOutput, timeOutput } from "../../http/response-fields.ts";
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema } from "../envelope-schemas.ts";

export const Me = z
  .object({
    id: z.string().meta({
      description: "Id of the API key; `admin`, `anonymous`, or `jwt:` with the claim `sub`",
    }),
    role: z.enum(CALLER_ROLES),
    clientId: idOutput.optional().meta({ description: "With role `client`" }),
    expiresAt: timeOutput.optional().meta({ description: "Until when the token is accepted, if it expires" }),
  })
  .meta({ id: "Me" });

export const operations: Operations = {
  "GET /": {
    id: "getMe",
    tag: "Keys",
    summary: "Who the caller is: role, client and expiry of its token",
    response: { status: 200, description: "The caller", schema: itemSchema(Me) },
    problems: [403, 404],
  },
};
