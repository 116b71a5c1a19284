import type { Context } from "hono";
import type { Refusal } from "./refusal.ts";
import { refuseInSessionApi } from "./sessions/failure.ts";
import { refuseInMoonshot } from "./v1/failure.ts";

/** Answers a refusal in the dialect that the path belongs to; outside both, in the Session API's. */
export const refuse = (c: Context, refusal: Refusal): Response =>
  /^\/v1(\/|$)/.test(c.req.path) ? refuseInMoonshot(c, refusal) : refuseInSessionApi(c, refusal);
