/**
 * Adopts an answer of a comparison session in the chat session that it was made from. Effects: the log, events and
 * replication.
 */
import type { Outcome } from "../core/failure.ts";
import { failed, success } from "../core/failure.ts";
import { requireLastSeq } from "../core/message-tree.ts";
import type { AdoptedAuthor } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { AdoptParams } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import { appendMessages } from "./turns/append-messages.ts";

/**
 * Appends an answer as a variant of the one that it competes with, and makes it the active one. Once: the same record again
 * is found in the log. One transaction.
 *
 * @param active the session, if it takes messages
 * @returns the `seq` of the message; `session-not-active`, `session-full`, `session-moved-on` or `turn-running`
 */
export function adoptAnswer(
  world: SessionWorld,
  active: Outcome<Session>,
  isTurnRunning: boolean,
  { content, author, parentSeq, expectedSeq }: AdoptParams,
): Outcome<{ seq: number }> {
  const { log, clock } = world;
  const adopted = log.state?.removed === false ? log.conversation.findAdopted(author) : null;
  if (adopted !== null) return success({ seq: adopted });
  if (!active.ok) return active;
  const unchanged = requireLastSeq(active.value, expectedSeq);
  if (!unchanged.ok) return unchanged;
  if (isTurnRunning) return failed({ reason: "turn-running" });
  const chatId = active.value.chats[0]?.chatId ?? null;
  const place = { chatId, turnId: null, turnNumber: null, parentSeq };
  const message = { ...place, role: "assistant" as const, content, createdAt: clock(), reply: null, author };
  const [appended] = appendMessages(world, [message]);
  if (!appended) throw new Error("An adopted answer was not appended");
  return success({ seq: appended.seq });
}

/** The `seq` of the message that was adopted from a record, in a session that is only in D1 or in the archive. */
export async function findAdoptedInRecords(
  { records, id }: SessionWorld,
  { sessionId, chatId, chatRecordId }: AdoptedAuthor,
): Promise<number | null> {
  const session = await records.findSession(id);
  for (let after = 0; session && after < session.lastSeq;) {
    const page = await records.readMessages(session, after);
    const adopted = page.find(
      ({ author }) =>
        author?.kind === "adopted" &&
        author.sessionId === sessionId &&
        author.chatId === chatId &&
        author.chatRecordId === chatRecordId,
    );
    if (adopted) return adopted.seq;
    after = page.at(-1)?.seq ?? session.lastSeq;
  }
  return null;
}
