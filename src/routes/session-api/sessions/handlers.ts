/**
 * The handlers of `/sessions`: each gets input that has been validated and answers in the Session API's envelope. Rules
 * of a session do not belong here: the session's object has them. Effects: RPC to the object, queries to D1, audit
 * lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { canSee, writerOf } from "../../../core/caller.ts";
import type { Caller } from "../../../core/caller.ts";
import { rootCause } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import type { Batch } from "../../../core/page.ts";
import { now } from "../../../core/time.ts";
import {
  messagesOf,
  readMessages,
  readReferenced,
  readSession,
  readTreePage,
  shownOf,
} from "../../../live/read-session.ts";
import type { MessagesPage } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { SessionResult } from "../../../live/session-client.ts";
import { archiveOf } from "../../../store/archive/bucket.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { database } from "../../../store/database.ts";
import { listChatbotSessions } from "../../../store/session-list.ts";
import { createChatbotSession } from "../../../store/sessions.ts";
import { cachedChatbot, readChatContext } from "../../../store/turn-context.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { applyPreference, measure, readFromReplica, readerOf } from "../../http/context.ts";
import { saveResponseStatements, idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import {
  openEventStream,
  respondWithEvents,
  respondWithSocket,
  respondWithTurn,
  createFollowTicket,
  wantsEvents,
} from "../../http/subscribe.ts";
import { itemBody, mutationBody, pageBody, removalBody } from "../envelope.ts";
import { respondWithReply } from "./chat-answer.ts";
import { readFeedback } from "../feedback/read-feedback.ts";
import type { FeedbackBySeq } from "../feedback/read-feedback.ts";
import { newSession } from "../../../core/new-session.ts";
import type { NewChatbotSessionInput } from "../../../core/new-session.ts";
import { clientFilter } from "./ownership.ts";
import {
  presentEach,
  presentInTree,
  presentListed,
  presentLoggedMessage,
  presentPopulated,
  presentSession,
} from "./present.ts";
import type * as schemas from "./schemas.ts";
import { cacheOwner } from "../../http/session-owners.ts";
import { SESSION_NOT_ACTIVE, SESSION_NOT_FOUND } from "./session-param.ts";

type AppContext = Context<AppEnv>;

export async function createSession(c: AppContext, input: NewChatbotSessionInput) {
  const db = database(c.env.DB);
  const { caller } = c.var;
  const chatbot =
    cachedChatbot(input.chatbotId) ?? (await measure(c, "index", readChatContext(c.env.DB, input))).chatbot;
  if (chatbot?.deletedAt !== null) return respondWithProblem(c, { reason: "not-found", resource: "chatbot", id: null });
  const { session, greeting } = newSession(input, chatbot.greeting, now());
  const shown = presentSession(session, greeting ? [greeting] : [], caller.role);
  const answer = mutationBody(shown, "Session created successfully");
  const saveAnswer = saveResponseStatements(c, `session:${session.id}`, answer, 201);
  const isCreated = await measure(
    c,
    "index",
    createChatbotSession(db, session, greeting ? [greeting] : [], saveAnswer),
  );
  if (!isCreated) {
    const client = await clientStore.find(db, input.clientId);
    return respondWithProblem(c, { reason: "not-found", resource: client ? "chatbot" : "client", id: null });
  }
  if (caller.role === "client") cacheOwner(session.id, input.clientId, session.createdAt);
  if (session.dueAt !== null) await scheduleStart(c, session.id);
  return c.json(answer, 201);
}

/** Has the session start at its time. If that fails, its first use or cron starts it: it exists, so the answer stands. */
async function scheduleStart(c: AppContext, id: string): Promise<void> {
  try {
    await sessionStub(c.env, id).schedule();
  } catch (error) {
    console.error({ event: "session-not-scheduled", sessionId: id, error: rootCause(error) });
  }
}

export async function listSessions(c: AppContext, input: z.output<typeof schemas.ListSessions>) {
  const { limit, skip, startDate, endDate } = input;
  const { role } = c.var.caller;
  const filter = {
    search: input.searchString ?? null,
    status: input.status ?? null,
    handler: input.handler ?? null,
    chatbotId: input.chatbotId ?? null,
    clientId: clientFilter(c.var.caller, input.clientId),
    clientMustExist: role === "client" || null,
    from: startDate?.from ?? null,
    before: endDate?.before ?? null,
  };
  const page = await readFromReplica(c, (db) =>
    listChatbotSessions({ db, archive: archiveOf(c.env) }, filter, { limit, skip }),
  );
  const results = page.results.map((session) => presentListed(session, role));
  return c.json(pageBody({ ...page, results }, { limit, skip }));
}

export async function getSession(c: AppContext, id: string) {
  const reader = readerOf(c);
  const found = await readSession(reader, id, applyPreference(c));
  if (!found) return respondWithProblem(c, SESSION_NOT_FOUND);
  const referenced = await readReferenced(reader, found);
  return respondWithMessages(c, found, itemBody, (messages) =>
    presentPopulated({ ...found, ...referenced, messages }, c.var.caller.role),
  );
}

export async function updateSession(c: AppContext, id: string, changes: z.output<typeof schemas.UpdateSession>) {
  const amended = await measure(c, "session", sessionStub(c.env, id).amend({ changes, history: applyPreference(c) }));
  if (!amended.ok) return respondWithProblem(c, amended.failure);
  return respondWithSession(c, amended.value, "Session updated successfully");
}

export async function deleteSession(c: AppContext, id: string) {
  const removal = auditIfLost(c, "session-deleted", { sessionId: id }, sessionStub(c.env, id).remove());
  const removed = await measure(c, "session", removal);
  if (!removed.ok) return respondWithProblem(c, removed.failure);
  audit(c, "session-deleted", { sessionId: id });
  return c.json(removalBody("Session deleted successfully"));
}

export async function endSession(c: AppContext, id: string) {
  const ended = await measure(c, "session", sessionStub(c.env, id).end({ history: applyPreference(c) }));
  if (!ended.ok)
    return respondWithProblem(c, ended.failure.reason === "not-found" ? SESSION_NOT_ACTIVE : ended.failure);
  return respondWithSession(c, ended.value, "Session ended successfully");
}

export async function stopTurn(c: AppContext, id: string) {
  const stopped = await measure(c, "session", sessionStub(c.env, id).stop());
  if (!stopped.ok) return respondWithProblem(c, stopped.failure);
  const message = stopped.value ? "Turn stopped successfully" : "No turn was running";
  return c.json(mutationBody({ stopped: stopped.value }, message));
}

export async function listMessages(c: AppContext, id: string, input: z.output<typeof schemas.MessagesQuery>) {
  if (input.tree) return listTree(c, id, input);
  const { after, limit } = input;
  const [page, feedback] = await Promise.all([
    readMessages(readerOf(c), id, after, limit),
    readFeedback(c, id, after, limit),
  ]);
  if (!page) return respondWithProblem(c, SESSION_NOT_FOUND);
  const present = presentVisible(c.var.caller, feedback);
  return page.rest === null
    ? c.json(itemBody(presentBatch(page.first, after, present)))
    : respondWithJsonStream(c, itemBody(presentPage(page, page.rest, present)));
}

async function listTree(c: AppContext, id: string, { after, limit }: z.output<typeof schemas.MessagesQuery>) {
  const [page, feedback] = await Promise.all([
    readTreePage(readerOf(c), id, after, limit),
    readFeedback(c, id, after, limit),
  ]);
  if (!page) return respondWithProblem(c, SESSION_NOT_FOUND);
  const { items, hasMore, tree, activePath } = page;
  const { caller } = c.var;
  const messages = items
    .filter(({ role }) => canSee(caller, role))
    .map((message) => presentInTree(message, tree, activePath, caller.role, feedback.get(message.seq)));
  return c.json(itemBody({ messages, ...(hasMore ? { nextAfter: items.at(-1)?.seq ?? after } : {}) }));
}

const presentVisible = (caller: Caller, feedback: FeedbackBySeq) => (messages: Message[]) =>
  messages
    .filter(({ role }) => canSee(caller, role))
    .map((message) => presentLoggedMessage(message, caller.role, feedback.get(message.seq)));

type PresentMessages = ReturnType<typeof presentVisible>;

function presentBatch({ items, hasMore }: Batch<Message>, after: number, present: PresentMessages) {
  return { messages: present(items), ...(hasMore ? { nextAfter: items.at(-1)?.seq ?? after } : {}) };
}

/** A page that is sent while it is read. */
function presentPage({ first }: MessagesPage, rest: AsyncIterable<Batch<Message>>, present: PresentMessages) {
  let nextAfter: number | undefined;
  async function* messages() {
    yield* present(first.items);
    let last = first.items.at(-1);
    for await (const { items, hasMore } of rest) {
      yield* present(items);
      last = items.at(-1) ?? last;
      nextAfter = hasMore ? last?.seq : undefined;
    }
  }
  return { messages: messages(), nextAfter: () => nextAfter };
}

export const followSession = (c: AppContext, id: string, after: number | undefined) =>
  respondWithEvents(c, id, after, SESSION_NOT_FOUND);

export const openSocket = (c: AppContext, id: string, after: number | undefined) =>
  respondWithSocket(c, id, after, SESSION_NOT_FOUND);

export async function createTicket(c: AppContext, id: string) {
  const ticket = await createFollowTicket(c, id);
  return ticket
    ? c.json(mutationBody(ticket, "Ticket created successfully"), 201)
    : respondWithProblem(c, SESSION_NOT_FOUND);
}

export async function addMessage(c: AppContext, id: string, input: z.output<typeof schemas.AddMessage>) {
  const { role, content, timestamp } = input.message;
  const expected = input.expectedSeq === undefined ? {} : { expectedSeq: input.expectedSeq };
  const message = { role, content, createdAt: timestamp ?? null };
  const by = writerOf(c.var.caller);
  const params = { input: message, history: applyPreference(c), key: idempotencyKeyOf(c), by, ...expected };
  const append = sessionStub(c.env, id).append(params);
  const appended = await measure(c, "session", append);
  if (!appended.ok) return respondWithProblem(c, appended.failure);
  markReplayed(c, appended.value.replayed);
  return respondWithSession(c, appended.value, "Message added successfully");
}

export async function chat(c: AppContext, id: string, { content, expectedSeq }: z.output<typeof schemas.Chat>) {
  const expected = expectedSeq === undefined ? {} : { expectedSeq };
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  if (wantsEvents(c)) {
    const { role } = c.var.caller;
    const prompt = (readerId: string) => object.promptAndFollow({ content, key, readerId, role, ...expected });
    const opened = await openEventStream(c, object, prompt);
    return opened.ok ? respondWithTurn(c, opened.value) : respondWithProblem(c, opened.failure);
  }
  const result = await measure(c, "session", object.prompt({ content, history: "added", key, ...expected }));
  return respondWithReply(c, result);
}

const respondWithSession = (c: AppContext, result: SessionResult, message: string) =>
  respondWithMessages(
    c,
    result,
    (data) => mutationBody(data, message),
    (messages) => presentSession(result.session, messages, c.var.caller.role),
  );

/**
 * Answers a session with the messages of a result: at once when they are few, otherwise while they are read.
 *
 * @param present makes the JSON of the session with some messages
 */
async function respondWithMessages(
  c: AppContext,
  result: SessionResult,
  bodyOf: (data: object) => object,
  present: (messages: Message[]) => object,
) {
  const { messages, log, isTruncated } = await shownOf(readerOf(c), result);
  const truncated = isTruncated ? { truncated: true } : {};
  if (log === null) return c.json(bodyOf({ ...present(messages), ...truncated }));
  const each = presentEach(messagesOf(log, { form: "short" }), c.var.caller, log.session.activePath);
  // The field keeps its place among the others.
  return respondWithJsonStream(c, bodyOf({ ...present([]), messages: each, ...truncated }));
}
