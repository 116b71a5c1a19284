/**
 * Responses that are stored: each is the reply of a turn, and is read, followed and stopped by its id. Effects: RPC to the
 * session's object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { hasText } from "../../../core/message.ts";
import type { Message } from "../../../core/message.ts";
import { endpointOf } from "../../../core/session.ts";
import type { Session } from "../../../core/session.ts";
import { readTurn } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { finalOf, followTurn } from "../../http/ask-session.ts";
import { replyErrorFor } from "../../../core/caller.ts";
import { CHATBOT_PREFIX } from "../models.ts";
import { findOwnSession } from "../../http/session-owners.ts";
import { ReplyInbox } from "../../http/reply-inbox.ts";
import type { FinalEvent, OpenReply } from "../../http/reply-inbox.ts";
import { respondWithStream } from "../../http/reply-stream.ts";
import { ResponseEvents, outcomeOf } from "./events.ts";
import { finishedResponse, responseInProgress, storedHead, storedTurnOf } from "./present.ts";
import type { ResponseHead, StoredTurn } from "./present.ts";
import type { ReadResponse } from "./schemas.ts";

type AppContext = Context<AppEnv>;

export async function getResponse(c: AppContext, id: string, query: z.output<typeof ReadResponse>) {
  const found = await findResponse(c, id);
  if ("reason" in found) return respondWithProblem(c, found);
  return query.stream === "true" ? streamResponse(c, found, query.starting_after) : c.json(presentFound(c, found));
}

/** Stops the turn. A response that has ended stays as it is. */
export async function cancelResponse(c: AppContext, id: string) {
  const found = await findResponse(c, id);
  if ("reason" in found) return respondWithProblem(c, found);
  if (!found.isOpen) return c.json(presentFound(c, found));
  const { sessionId, turnId } = found.turn;
  const stopped = await measure(c, "session", sessionStub(c.env, sessionId).stop({ turnId }));
  if (!stopped.ok) return respondWithProblem(c, stopped.failure);
  const ended = await findResponse(c, id);
  return "reason" in ended ? respondWithProblem(c, ended) : c.json(presentFound(c, ended));
}

/** A response by its id. */
interface FoundResponse {
  turn: StoredTurn;
  head: ResponseHead;
  isOpen: boolean;
  /** The reply; `undefined` if it has not ended. Of a turn that was left to a person, the prompt. */
  last: Message | undefined;
}

async function findResponse(c: AppContext, id: string): Promise<FoundResponse | HttpProblem> {
  const turn = storedTurnOf(id);
  if (!turn) return responseNotFound(id);
  const own = await findOwnSession(c, turn.sessionId);
  const found = "reason" in own ? null : await readTurn(readerOf(c), turn.sessionId, turn.turnId);
  if (!found || (found.messages.length === 0 && !found.isOpen)) return responseNotFound(id);
  const head = storedHead(turn, { model: modelIdOf(found.session) });
  return { turn, head, isOpen: found.isOpen, last: found.isOpen ? undefined : found.messages.at(-1) };
}

const modelIdOf = (session: Session): string => endpointOf(session) ?? CHATBOT_PREFIX + (session.chatbotId ?? "");

const responseNotFound = (id: string) => ({ reason: "not-found", resource: "response", id: id.slice(0, 200) }) as const;

function presentFound({ var: { caller } }: AppContext, { head, last }: FoundResponse) {
  if (!last) return responseInProgress(head);
  const { text, final } = endOf(last);
  const outcome = outcomeOf(final);
  return finishedResponse(
    head,
    text,
    "code" in outcome ? { ...outcome, ...replyErrorFor(caller.role, outcome) } : outcome,
  );
}

/** The text and the end of a response, by the last message of its turn. */
function endOf(last: Message): { text: string; final: FinalEvent } {
  return { text: last.reply && hasText(last) ? last.content : "", final: finalOf(last, null) };
}

async function streamResponse(c: AppContext, found: FoundResponse, startingAfter = -1): Promise<Response> {
  const events = new ResponseEvents(found.head, c.var.caller, startingAfter);
  const { sessionId, turnId } = found.turn;
  const followed = found.isOpen ? await followTurn(c, sessionId, turnId) : null;
  if (followed) return respondWithStream(c, events, followed, null);
  const ended = found.isOpen ? await findResponse(c, found.head.id) : found;
  if ("reason" in ended) return respondWithProblem(c, ended);
  return respondWithStream(c, events, endedReply(ended.last), null);
}

function endedReply(last: Message | undefined): OpenReply {
  const inbox = new ReplyInbox();
  if (last) {
    const { text, final } = endOf(last);
    inbox.add([{ type: "text", text }, final]);
  }
  return { inbox, stop: () => undefined };
}
