/**
 * Responses that are stored: each is the reply of a turn, and is read, followed, stopped and deleted by its id. Effects: RPC to the
 * session's object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { hasText } from "../../../core/message.ts";
import type { Message } from "../../../core/message.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { endedReply, finalOf, followTurn } from "../../http/ask-session.ts";
import { replyErrorFor } from "../../../core/caller.ts";
import type { ReplyEnding } from "../../http/open-reply.ts";
import { respondWithStream } from "../../http/reply-stream.ts";
import { unsupported } from "../errors.ts";
import type { DeletedResponse } from "../response-schemas.ts";
import { ResponseEvents, outcomeOf } from "./events.ts";
import { findResponse } from "./find-response.ts";
import type { FoundResponse } from "./find-response.ts";
import { finishedResponse, responseInProgress } from "./present.ts";
import type { ReadResponse } from "./schemas.ts";

type AppContext = Context<AppEnv>;

export async function getResponse(c: AppContext, id: string, query: z.output<typeof ReadResponse>) {
  const found = checkQuery(query) ?? (await findResponse(c, id));
  if ("reason" in found) return respondWithProblem(c, found);
  return query.stream === "true" ? streamResponse(c, found, query.starting_after) : c.json(presentFound(c, found));
}

/** What only a stream has. */
const OF_STREAMS = ["starting_after", "include_obfuscation"] as const;

function checkQuery(query: z.output<typeof ReadResponse>): HttpProblem | null {
  const given = query.stream === "true" ? undefined : OF_STREAMS.find((name) => query[name] !== undefined);
  return given === undefined
    ? null
    : unsupported("unsupported_parameter", [given], "is only allowed with stream=true", "query");
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

/** Deletes the id. The turn stays in the log, and goes on if it runs. */
export async function deleteResponse(c: AppContext, id: string) {
  const found = await findResponse(c, id);
  if ("reason" in found) return respondWithProblem(c, found);
  const { sessionId, turnId } = found.turn;
  const hidden = await measure(c, "session", sessionStub(c.env, sessionId).hideTurn({ turnId }));
  if (!hidden.ok) return respondWithProblem(c, hidden.failure);
  const deleted: z.output<typeof DeletedResponse> = { id, object: "response", deleted: true };
  return c.json(deleted);
}

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
function endOf(last: Message): { text: string; final: ReplyEnding } {
  return { text: last.reply && hasText(last) ? last.content : "", final: finalOf(last, null) };
}

async function streamResponse(c: AppContext, found: FoundResponse, startingAfter = -1): Promise<Response> {
  const events = new ResponseEvents(found.head, c.var.caller, startingAfter);
  const { sessionId, turnId } = found.turn;
  const followed = found.isOpen ? await followTurn(c, sessionId, turnId) : null;
  if (followed && "reason" in followed) return respondWithProblem(c, followed);
  if (followed) return respondWithStream(c, events, followed);
  const ended = found.isOpen ? await findResponse(c, found.head.id) : found;
  if ("reason" in ended) return respondWithProblem(c, ended);
  if (!ended.last) return respondWithProblem(c, { reason: "not-found", resource: "response", id: found.head.id });
  return respondWithStream(c, events, endedReply(ended.last));
}
