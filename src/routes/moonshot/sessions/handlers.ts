/**
 * The handlers of `/v1/sessions`: each gets input that has been validated and answers as Moonshot does. Rules of a
 * session do not belong here: the session's object has them. Handlers that answer alike in Moonshot 0.7 are in
 * `moonshot-shared/sessions`. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Failure } from "../../../core/failure.ts";
import type { Session } from "../../../core/session.ts";
import { readSession, shownOf } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { SessionResult } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { applyPreference, measure, readerOf } from "../../http/context.ts";
import { idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import {
  createFollowTicket,
  openEventStream,
  respondWithEvents,
  respondWithSocket,
  respondWithTurn,
  wantsEvents,
} from "../../http/subscribe.ts";
import { createSession as createFrom } from "../../moonshot-shared/sessions/create-session.ts";
import { respondWithSessions } from "../../moonshot-shared/sessions/list-sessions.ts";
import type { NewSessionInput } from "../../moonshot-shared/sessions/new-session.ts";
import { sessionNotFound } from "../../moonshot-shared/sessions/session-param.ts";
import { readChat } from "./chat-source.ts";
import { presentSession } from "./present.ts";
import { presentHistory, streamHistory } from "./records.ts";
import type { Include } from "./records.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

export const listSessions = (c: AppContext, page: z.output<typeof schemas.ListSessions>) =>
  respondWithSessions(c, page, (session) => presentSession(session, c.env.TIME_ZONE, null));

export async function createSession(c: AppContext, input: z.output<typeof schemas.CreateSession>) {
  const present = (session: Session) => ({ session: presentSession(session, c.env.TIME_ZONE, null) });
  const fields = newSessionInput(input);
  if (input.from_session === undefined) return createFrom(c, fields, present);
  const chat = await readChat(c, input.from_session, input);
  if (!chat.ok) return respondWithProblem(c, chat.failure);
  const { recorded, systemPrompt } = chat.value;
  const ofChat = {
    systemPrompt: input.system_prompt == null ? systemPrompt : fields.systemPrompt,
    contextStrategy: recorded.bridge.mode === "pinned" ? null : (fields.contextStrategy ?? "chat_history"),
  };
  return createFrom(c, { ...fields, ...ofChat }, present, recorded);
}

const newSessionInput = (input: z.output<typeof schemas.CreateSession>): NewSessionInput => ({
  name: input.name,
  description: input.description,
  endpoints: input.endpoints,
  promptTemplate: input.prompt_template,
  contextStrategy: input.context_strategy,
  previousPrompts: null,
  systemPrompt: input.system_prompt || null,
  attackModule: null,
});

export async function getSession(c: AppContext, id: string, input: z.output<typeof schemas.GetSession>) {
  const { include_history: withHistory, include } = input;
  const history = withHistory ? applyPreference(c) : "added";
  const found = await readSession(readerOf(c), id, history, { withReceipts: include === "receipt" });
  if (!found) return respondWithProblem(c, sessionNotFound(id));
  const session = presentSession(found.session, c.env.TIME_ZONE, null);
  if (!withHistory) return c.json({ session });
  return respondWithRecords(c, found, include, (records, truncated) => ({
    session: { ...session, chat_history: records, ...truncated },
  }));
}

/**
 * Answers with the records of a result: at once when they are few, otherwise while they are read.
 *
 * @param bodyOf makes the body with the records, and with the field that says whether earlier records are left out
 */
export async function respondWithRecords(
  c: AppContext,
  result: SessionResult,
  include: Include,
  bodyOf: (records: object, truncated: { truncated?: true }) => object,
) {
  const { messages, log, isTruncated } = await shownOf(readerOf(c), result);
  const truncated = isTruncated ? ({ truncated: true } as const) : {};
  return log === null
    ? c.json(bodyOf(presentHistory(result.session, messages, c.env.TIME_ZONE, include), truncated))
    : respondWithJsonStream(c, bodyOf(streamHistory(log, c.env.TIME_ZONE, include), truncated));
}

export async function prompt(c: AppContext, id: string, text: string, include: Include) {
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  const respondWithFailure = (failure: Failure) =>
    respondWithProblem(c, failure.reason === "session-not-active" ? sessionNotFound(id) : failure);
  if (wantsEvents(c)) {
    const opened = await openEventStream(c, object, (readerId) =>
      object.promptAndFollow({ content: text, key, readerId }),
    );
    return opened.ok ? respondWithTurn(c, opened.value) : respondWithFailure(opened.failure);
  }
  const options = { withReceipts: include === "receipt" };
  const history = applyPreference(c);
  const result = await measure(c, "session", object.prompt({ content: text, history, key, options }));
  if (!result.ok) return respondWithFailure(result.failure);
  markReplayed(c, result.value.replayed);
  return respondWithRecords(c, result.value, include, (records, truncated) => ({ ...records, ...truncated }));
}

export const followSession = (c: AppContext, id: string, after: number | undefined) =>
  respondWithEvents(c, id, after, sessionNotFound(id));

export const openSocket = (c: AppContext, id: string, after: number | undefined) =>
  respondWithSocket(c, id, after, sessionNotFound(id));

export async function createTicket(c: AppContext, id: string) {
  const ticket = await createFollowTicket(c, id);
  return ticket ? c.json(ticket, 201) : respondWithProblem(c, sessionNotFound(id));
}
