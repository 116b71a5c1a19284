import type * as z from "zod";
import type { Session } from "../../../core/session.ts";
import { zonedStamp } from "../../../core/time.ts";
import type { History } from "./record-schemas.ts";
import type * as schemas from "./response-schemas.ts";

/** A session with Moonshot's keys, in Moonshot's order. `created_epoch` is in seconds. */
export function presentSession(session: Session, zone: string, history: z.output<typeof History> | null) {
  return {
    session_id: session.id,
    name: session.title ?? "",
    description: session.description ?? "",
    created_epoch: session.createdAt / 1000,
    created_datetime: zonedStamp(session.createdAt, zone),
    chat_ids: session.chats.map(({ chatId }) => chatId),
    endpoints: session.chats.flatMap(({ endpointId }) => endpointId ?? []),
    prompt_template: session.promptTemplate,
    context_strategy: session.contextStrategy,
    filename: null,
    chat_history: history,
    system_prompt: session.systemPrompt,
    ...(session.bridge ? { from_session: session.bridge.sessionId, mode: session.bridge.mode } : {}),
  } satisfies z.output<typeof schemas.Session>;
}
