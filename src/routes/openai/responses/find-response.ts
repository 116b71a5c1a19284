/** Finds the response of a turn by its id. Effects: RPC to the session's object, or queries to D1. */
import type { Context } from "hono";
import type { Message } from "../../../core/message.ts";
import { endpointOf } from "../../../core/session.ts";
import { readTurn } from "../../../live/read-session.ts";
import type { AppEnv } from "../../http/context.ts";
import { readerOf } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { findOwnSession } from "../../http/session-owners.ts";
import { modelIdOf } from "../model-ids.ts";
import { readRequestFields, storedHead, storedTurnOf } from "./present.ts";
import type { ResponseHead, StoredTurn } from "./present.ts";

/** A response by its id. */
export interface FoundResponse {
  turn: StoredTurn;
  head: ResponseHead;
  isOpen: boolean;
  /** The reply; `undefined` if it has not ended. Of a turn that was left to a person, the prompt. */
  last: Message | undefined;
}

export async function findResponse(c: Context<AppEnv>, id: string): Promise<FoundResponse | HttpProblem> {
  const turn = storedTurnOf(id);
  if (!turn) return responseNotFound(id);
  const own = await findOwnSession(c, turn.sessionId);
  const found = "reason" in own ? null : await readTurn(readerOf(c), turn.sessionId, turn.turnId);
  if (!found || (found.messages.length === 0 && !found.isOpen)) return responseNotFound(id);
  const { session, isOpen } = found;
  const last = isOpen ? undefined : found.messages.at(-1);
  const model = modelIdOf({ chatbotId: session.chatbotId, endpointId: endpointOf(session) });
  const fields = readRequestFields(found.requestFields ?? last?.reply?.requestFields, c.var.caller);
  return { turn, head: storedHead(turn, { model, ...fields }), isOpen, last };
}

const responseNotFound = (id: string) => ({ reason: "not-found", resource: "response", id: id.slice(0, 200) }) as const;
