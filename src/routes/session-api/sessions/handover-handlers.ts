/**
 * The handlers for hand-overs between the bot and a person. The rules are in `core/handover.ts`. Effects: RPC to the
 * session's object, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Outcome } from "../../../core/failure.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { SessionResult } from "../../../live/session-client.ts";
import { audit } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { mutationBody } from "../envelope.ts";
import { presentHandling } from "./present.ts";
import type * as schemas from "./schemas.ts";
import { SESSION_NOT_ACTIVE } from "./session-param.ts";

type AppContext = Context<AppEnv>;

export async function requestHuman(c: AppContext, id: string, { reason }: z.output<typeof schemas.RequestHuman>) {
  const requested = await measure(c, "session", sessionStub(c.env, id).requestHuman({ reason: reason ?? null }));
  return respondWithHandling(c, requested, "Person requested successfully");
}

export async function takeOver(c: AppContext, id: string, { operator, reason }: z.output<typeof schemas.TakeOver>) {
  const params = { operator, reason: reason ?? null };
  const taken = await measure(c, "session", sessionStub(c.env, id).takeOver(params));
  if (taken.ok) audit(c, "session-taken-over", { sessionId: id, operatorId: operator.id });
  return respondWithHandling(c, taken, "Session taken over successfully");
}

export async function handBack(c: AppContext, id: string, { note }: z.output<typeof schemas.HandBack>) {
  const handed = await measure(c, "session", sessionStub(c.env, id).handBack({ note: note ?? null }));
  return respondWithHandling(c, handed, "Session handed back successfully");
}

function respondWithHandling(c: AppContext, outcome: Outcome<SessionResult>, message: string) {
  if (outcome.ok) return c.json(mutationBody(presentHandling(outcome.value.session, c.var.caller.role), message));
  return respondWithProblem(c, outcome.failure.reason === "not-found" ? SESSION_NOT_ACTIVE : outcome.failure);
}
