/**
 * The handlers for variants of a conversation: another reply, another prompt, another path, and a branch into a session of
 * its own. The rules of the tree are in `core/message-tree.ts`. Effects: RPC to the session's object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { newObjectId } from "../../../core/id.ts";
import { BOT_HANDLING } from "../../../core/handover.ts";
import type { Message } from "../../../core/message.ts";
import { hasText } from "../../../core/message.ts";
import { MAX_BRANCH_CHARACTERS, MAX_BRANCH_MESSAGES, isOnPath } from "../../../core/message-tree.ts";
import type { PathRange } from "../../../core/message-tree.ts";
import { endpointOf } from "../../../core/session.ts";
import type { Session } from "../../../core/session.ts";
import { now } from "../../../core/time.ts";
import type { EpochMs } from "../../../core/time.ts";
import { messagesOf, openLog, readTree } from "../../../live/read-session.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import { database } from "../../../store/database.ts";
import { createChatbotSession } from "../../../store/sessions.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import { idempotencyKeyOf, saveResponseStatements } from "../../http/idempotency.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { openEventStream, respondWithTurn, wantsEvents } from "../../http/subscribe.ts";
import { itemBody, mutationBody } from "../envelope.ts";
import { respondWithReply } from "./chat-answer.ts";
import { cacheOwner } from "../../http/session-owners.ts";
import { presentSession } from "./present.ts";
import type * as schemas from "./schemas.ts";
import { seqOf } from "./seq-param.ts";
import { SESSION_NOT_FOUND } from "./session-param.ts";

type AppContext = Context<AppEnv>;

const CALL_OF_CLIENT: HttpProblem = {
  reason: "forbidden",
  message: "A client cannot choose endpointId and params: leave them out",
};

export function regenerate(
  c: AppContext,
  id: string,
  { endpointId, params, expectedSeq }: z.output<typeof schemas.Regenerate>,
) {
  if (c.var.caller.role === "client" && (endpointId !== undefined || params !== undefined))
    return respondWithProblem(c, CALL_OF_CLIENT);
  return vary(c, id, {
    regeneratedSeq: seqOf(c),
    ...(endpointId === undefined ? {} : { endpointId }),
    ...(params === undefined ? {} : { params }),
    ...(expectedSeq === undefined ? {} : { expectedSeq }),
  });
}

export const edit = (c: AppContext, id: string, { content, expectedSeq }: z.output<typeof schemas.Edit>) =>
  vary(c, id, { content, editedSeq: seqOf(c), ...(expectedSeq === undefined ? {} : { expectedSeq }) });

type Question = Parameters<ReturnType<typeof sessionStub>["vary"]>[0]["question"];

async function vary(c: AppContext, id: string, question: Question) {
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  if (wantsEvents(c)) {
    const { role } = c.var.caller;
    const opened = await openEventStream(c, object, (readerId) =>
      object.varyAndFollow({ question, key, readerId, role }),
    );
    return opened.ok ? respondWithTurn(c, opened.value) : respondWithProblem(c, opened.failure);
  }
  return respondWithReply(c, await measure(c, "session", object.vary({ question, history: "added", key })));
}

export async function activate(c: AppContext, id: string) {
  const seqs = await measure(c, "session", sessionStub(c.env, id).activate({ seq: seqOf(c) }));
  return seqs.ok ? c.json(itemBody({ seqs: seqs.value })) : respondWithProblem(c, seqs.failure);
}

/** The newest messages that the answer shows, in characters. The answer is also kept under the call's key. */
const SHOWN_CHARACTERS = 200_000;

export async function branch(c: AppContext, id: string, { seq, title }: z.output<typeof schemas.Branch>) {
  const reader = readerOf(c);
  const log = await openLog(reader, id);
  const tree = log && (await readTree(reader, id));
  if (!tree) return respondWithProblem(c, SESSION_NOT_FOUND);
  if (seq > log.session.lastSeq)
    return respondWithProblem(c, { reason: "not-found", resource: "message", id: String(seq) });
  if (!tree.hasText(seq)) return respondWithProblem(c, { reason: "nothing-to-show" });
  const messages = await messagesOnPath(log, tree.pathTo(seq), seq);
  if (!messages) return respondWithProblem(c, { reason: "path-too-long" });
  return createBranch(c, { from: log.session, seq, title: title ?? null, messages });
}

/** @returns `null` if these are more than a branch takes */
async function messagesOnPath(log: OpenLog, path: PathRange[], upTo: number): Promise<Message[] | null> {
  const found: Message[] = [];
  let characters = 0;
  for await (const message of messagesOf({ ...log, upTo }, { form: "short" })) {
    if (!hasText(message) || !isOnPath(path, message.seq)) continue;
    characters += message.content.length;
    if (found.length >= MAX_BRANCH_MESSAGES || characters > MAX_BRANCH_CHARACTERS) return null;
    found.push(message);
  }
  return found;
}

interface NewBranch {
  from: Session;
  seq: number;
  title: string | null;
  messages: Message[];
}

async function createBranch(c: AppContext, { from, seq, title, messages: copied }: NewBranch) {
  const db = database(c.env.DB);
  const { role } = c.var.caller;
  const at = now();
  const id = newObjectId(at);
  const messages = copied.map((message, index) => copyOf(message, id, index + 1));
  const session = newBranch(id, { from, seq, title, messages }, at);
  const shown = newestWithin(messages, SHOWN_CHARACTERS);
  const data = {
    ...presentSession(session, shown, role),
    ...(shown.length < messages.length ? { truncated: true as const } : {}),
  };
  const answer = mutationBody(data, "Session branched successfully");
  const saveAnswer = saveResponseStatements(c, `session:${id}`, answer, 201);
  const isCreated = await measure(c, "index", createChatbotSession(db, session, messages, saveAnswer));
  if (!isCreated) return respondWithProblem(c, { reason: "not-found", resource: referenceOf(session), id: null });
  if (role === "client" && session.clientId !== null) cacheOwner(id, session.clientId, at);
  return c.json(answer, 201);
}

/** What a session is with, and what it cannot be made without. */
const referenceOf = (session: Session) => (endpointOf(session) === null ? "chatbot" : "endpoint");

/** Text, time and author. What a reply cost, and which turn it was of, stays with the session where that happened. */
function copyOf({ role, content, createdAt, author }: Message, chatId: string, seq: number): Message {
  const message = { seq, chatId, turnId: null, turnNumber: null, role, content, createdAt, reply: null };
  return author ? { ...message, author } : message;
}

const newBranch = (id: string, { from, seq, title, messages }: NewBranch, at: EpochMs): Session => ({
  ...from,
  ...BOT_HANDLING,
  id,
  title,
  status: "ACTIVE",
  startTime: at,
  endTime: null,
  dueAt: null,
  chats: [{ chatId: id, endpointId: endpointOf(from) }],
  metadata: JSON.stringify({ branchedFrom: { sessionId: from.id, seq } }),
  feedback: null,
  createdAt: at,
  updatedAt: at,
  lastSeq: messages.length,
  metadataVersion: 0,
  messageCount: messages.length,
  archive: null,
  activePath: null,
});

function newestWithin(messages: Message[], limit: number): Message[] {
  let characters = 0;
  const tooOld = messages.findLastIndex(({ content }) => (characters += content.length) > limit);
  return messages.slice(tooOld + 1);
}
