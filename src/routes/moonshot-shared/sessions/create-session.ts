/** Creates a comparison session, and answers in the form of either of Moonshot's APIs. Effects: queries to D1. */
import type { Context } from "hono";
import type { Session } from "../../../core/session.ts";
import { now } from "../../../core/time.ts";
import { database } from "../../../store/database.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { checkNamesExist, createUnderFreeId, newSession } from "./new-session.ts";
import type { NewSessionInput, RecordedConversation } from "./new-session.ts";

/**
 * @param present makes the answer
 * @param recorded the conversation of the chat session that it is made from
 */
export async function createSession(
  c: Context<AppEnv>,
  input: NewSessionInput,
  present: (session: Session) => object,
  recorded: RecordedConversation | null = null,
): Promise<Response> {
  const db = database(c.env.DB);
  const checked = await measure(c, "index", checkNamesExist(db, input));
  if (!checked.ok) return respondWithProblem(c, checked.failure);
  const created = await newSession(db, input, checked.value, { at: now(), zone: c.env.TIME_ZONE, recorded });
  const saved = createUnderFreeId(db, created, (candidate) =>
    saveResponseStatements(c, `session:${candidate.id}`, present(candidate), 200),
  );
  return c.json(present(await measure(c, "index", saved)));
}
