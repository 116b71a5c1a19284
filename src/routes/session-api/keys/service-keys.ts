/**
 * Which keys a caller of role `service` may make: short ones for clients, so that a product's web server needs no admin
 * key. Admins may make any key. No effects other than the clock.
 */
import type * as z from "zod";
import { isAnonymous } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import { DAY_MS, now } from "../../../core/time.ts";
import type { EpochMs } from "../../../core/time.ts";
import type { BodyMiddleware } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import type { CreateKey } from "./schemas.ts";

const EXPIRES_TOO_LATE: HttpProblem = {
  reason: "invalid-input",
  in: "body",
  issues: [{ code: "too_big", path: ["expiresAt"], message: "must be within 24 hours when a service makes the key" }],
};

const TOKEN_NEEDED: HttpProblem = { reason: "forbidden", message: "Only a call with a token creates keys" };

const OTHER_ROLE: HttpProblem = {
  reason: "forbidden",
  message: "A token of role service creates keys of role client only: other keys need a token of role admin",
};

/**
 * Lets services make keys of role `client` only, for 24 hours at most. A caller without a token makes none: its key would
 * still work outside the trusted network.
 */
export const allowKeysForClients: BodyMiddleware<z.output<typeof CreateKey>> = async (c, next) => {
  const { caller } = c.var;
  if (caller.role === "admin") return next();
  const { role, expiresAt } = c.req.valid("json");
  if (isAnonymous(caller)) return respondWithProblem(c, TOKEN_NEEDED);
  if (role !== "client") return respondWithProblem(c, OTHER_ROLE);
  return expiresAt !== undefined && expiresAt > now() + DAY_MS ? respondWithProblem(c, EXPIRES_TOO_LATE) : next();
};

/** When a key expires that was made without `expiresAt`. `null` for never. */
export const defaultExpiry = ({ role }: Caller, at: EpochMs): EpochMs | null => (role === "admin" ? null : at + DAY_MS);
