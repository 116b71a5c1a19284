/** Puts a prompt of a run to a session, as any caller does. Effects: calls to the session's object, D1 for a long answer. */
import { success } from "../core/failure.ts";
import type { Outcome } from "../core/failure.ts";
import type { Message } from "../core/message.ts";
import { messagesOf, shownOf } from "../live/read-session.ts";
import type { SessionReader } from "../live/read-session.ts";
import { sessionStub } from "../live/session-client.ts";
import type { IdempotencyKey } from "../live/session-client.ts";

/** @returns what the turn has added to the log */
export async function askSession(
  env: Env,
  keepAlive: SessionReader["keepAlive"],
  sessionId: string,
  prompt: string,
  key: IdempotencyKey,
): Promise<Outcome<Message[]>> {
  // Lets other calls run: endpoints that answer at once would leave them no time.
  await scheduler.wait(0);
  const outcome = await sessionStub(env, sessionId).prompt({ content: prompt, history: "added", key });
  if (!outcome.ok) return outcome;
  const reader: SessionReader = { env, keepAlive, measure: (_, work) => work, hasLeft: () => false };
  const shown = await shownOf(reader, outcome.value);
  if (shown.log === null) return success(shown.messages);
  const messages: Message[] = [];
  for await (const message of messagesOf(shown.log)) messages.push(message);
  return success(messages);
}
