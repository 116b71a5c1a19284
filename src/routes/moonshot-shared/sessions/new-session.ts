/**
 * Creates a comparison session: checks the names in it, makes its ids from names and the time, and saves it under an id
 * that is free. Effects: queries to D1.
 */
import { CONTEXT_STRATEGIES, asContextStrategy } from "../../../core/prompt-template.ts";
import type { Failed, Outcome } from "../../../core/failure.ts";
import { notFound, success } from "../../../core/failure.ts";
import { BOT_HANDLING } from "../../../core/handover.ts";
import type { Session } from "../../../core/session.ts";
import type { EpochMs } from "../../../core/time.ts";
import { zonedStamp } from "../../../core/time.ts";
import { nearestName } from "../../../core/unknown-fields.ts";
import type { Database } from "../../../store/database.ts";
import { endpointNotFound, existingEndpoints } from "../../../store/endpoints.ts";
import { findPromptTemplate, promptTemplateNotFound } from "../../../store/prompt-templates.ts";
import { slug } from "../../../store/slug.ts";
import { createComparisonSession } from "../../../store/sessions.ts";
import { chatIdOf } from "./chat-id.ts";

/** What a caller says of a new session. */
export interface NewSessionInput extends Pick<
  Session,
  "promptTemplate" | "contextStrategy" | "previousPrompts" | "systemPrompt" | "attackModule"
> {
  name: string;
  description: string;
  /** Their ids. */
  endpoints: string[];
}

/** Checks that the endpoints, the template and the strategy exist. The failure names the first one that does not. */
export async function checkNamesExist(
  db: Database,
  { endpoints, promptTemplate, contextStrategy }: NewSessionInput,
): Promise<Outcome<null>> {
  const existing = await existingEndpoints(db, endpoints);
  const missing = endpoints.find((id) => !existing.has(id));
  if (missing !== undefined) return endpointNotFound(db, missing);
  if (promptTemplate !== null && !(await findPromptTemplate(db, promptTemplate)))
    return promptTemplateNotFound(db, promptTemplate);
  if (contextStrategy !== null && !asContextStrategy(contextStrategy)) return contextStrategyNotFound(contextStrategy);
  return success(null);
}

/** The failure of an unknown strategy. It suggests the one that was probably meant. */
export const contextStrategyNotFound = (name: string): Failed =>
  notFound("context strategy", name, nearestName(name, CONTEXT_STRATEGIES));

/**
 * Creates a session with its id, or with `-2`, `-3`, … appended to it while that id is taken.
 *
 * @param statements run in the same transaction
 */
export async function createUnderFreeId(
  db: Database,
  session: Session,
  statements: (candidate: Session) => D1PreparedStatement[],
): Promise<Session> {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? session : { ...session, id: `${session.id}-${attempt}` };
    if (await createComparisonSession(db, candidate, statements(candidate))) return candidate;
  }
}

/** A new comparison session. @param zone the IANA zone of the time stamp in its ids */
export async function newSession(db: Database, input: NewSessionInput, at: EpochMs, zone: string): Promise<Session> {
  const stamp = zonedStamp(at, zone);
  const occurrences = new Map<string, number>();
  const chats = input.endpoints.map((endpointId) => {
    const occurrence = (occurrences.get(endpointId) ?? 0) + 1;
    occurrences.set(endpointId, occurrence);
    return { chatId: chatIdOf(endpointId, stamp) + (occurrence === 1 ? "" : `_${occurrence}`), endpointId };
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
    promptTemplate: input.promptTemplate,
    contextStrategy: input.contextStrategy,
    previousPrompts: input.previousPrompts,
    systemPrompt: input.systemPrompt,
    attackModule: input.attackModule,
    metadata: null,
    feedback: null,
    createdAt: at,
    updatedAt: at,
    lastSeq: 0,
    metadataVersion: 0,
    messageCount: 0,
    archive: null,
    activePath: null,
    ...BOT_HANDLING,
  };
}
