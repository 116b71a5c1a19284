import type * as z from "zod";
import { asContextStrategy } from "../../core/prompt-template.ts";
import type { Outcome } from "../../core/failure.ts";
import { notFound, success } from "../../core/failure.ts";
import type { Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import { zonedStamp } from "../../core/time.ts";
import type { Database } from "../../store/database.ts";
import { isUniqueViolation } from "../../store/database.ts";
import { existingEndpoints } from "../../store/endpoints.ts";
import { findPromptTemplate } from "../../store/prompt-templates.ts";
import { createComparisonSession } from "../../store/sessions.ts";
import type * as schemas from "./schemas.ts";
import { chatIdOf, slug } from "./slug.ts";

type Input = z.output<typeof schemas.CreateSession>;

/** Whether all that a new session names exists; the failure names the first that does not. */
export async function resolveNames(
  db: Database,
  { endpoints, prompt_template, context_strategy }: Input,
): Promise<Outcome<null>> {
  const known = await existingEndpoints(db, endpoints);
  const unknown = endpoints.find((id) => !known.has(id));
  if (unknown !== undefined) return notFound("endpoint", unknown);
  if (prompt_template !== null && !(await findPromptTemplate(db, prompt_template)))
    return notFound("prompt template", prompt_template);
  if (context_strategy !== null && !asContextStrategy(context_strategy))
    return notFound("context strategy", context_strategy);
  return success(null);
}

/** Creates a session under its id, or with `-2`, `-3`, … behind it while that is taken. @param note what is written with it */
export async function createUnderFreeId(
  db: Database,
  session: Session,
  note: (created: Session) => D1PreparedStatement[],
): Promise<Session> {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? session : { ...session, id: `${session.id}-${attempt}` };
    try {
      await createComparisonSession(db, candidate, note(candidate));
      return candidate;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
    }
  }
}

/** A comparison session as it begins, its ids made of names and of the moment on the clock of a zone. */
export async function newSession(db: Database, input: Input, at: EpochMs, zone: string): Promise<Session> {
  const stamp = zonedStamp(at, zone);
  const asked = new Map<string, number>();
  const chats = input.endpoints.map((endpointId) => {
    const times = (asked.get(endpointId) ?? 0) + 1;
    asked.set(endpointId, times);
    return { chatId: chatIdOf(endpointId, stamp) + (times === 1 ? "" : `_${times}`), endpointId };
  });
  return {
    id: `${await slug(db, input.name)}_${stamp}`,
    kind: "comparison",
    title: input.name,
    description: input.description,
    status: "ACTIVE",
    startTime: at,
    endTime: null,
    dueAt: null,
    chatbotId: null,
    clientId: null,
    chats,
    promptTemplate: input.prompt_template,
    contextStrategy: input.context_strategy,
    metadata: null,
    feedback: null,
    createdAt: at,
    updatedAt: at,
    lastSeq: 0,
    metadataVersion: 0,
    messageCount: 0,
  };
}
