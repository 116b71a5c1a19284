/** Which answers of a comparison were adopted in its chat: the messages there say from where they are. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";
import type { Comparison, TreeMessage } from "../../client/types.ts";

export interface AdoptedAnswer {
  /** Of the message in the chat. */
  seq: number;
  endpoint: string;
  text: string;
  /** Of the chat, from 1. */
  turn: number;
}

const PAGE = 1000;

/** @returns none for a comparison that was not made from a chat @throws if the chat is gone */
export async function listAdopted(
  api: ParleyClient,
  { session_id: sessionId, from_session: from }: Comparison,
): Promise<AdoptedAnswer[]> {
  const messages = new Map<number, TreeMessage>();
  for (let after: number | undefined = from === undefined ? undefined : 0; after !== undefined;) {
    const page = await api.sessions.tree(from ?? "", { after, limit: PAGE });
    for (const message of page.messages) messages.set(message.seq, message);
    after = page.nextAfter;
  }
  return [...messages.values()].flatMap(({ seq, content, parentSeq, author }) =>
    author?.kind === "adopted" && author.sessionId === sessionId && author.endpoint !== undefined
      ? { seq, endpoint: author.endpoint, text: content, turn: turnsUpTo(messages, parentSeq) }
      : [],
  );
}

/** How many messages of the user a path has. */
function turnsUpTo(messages: ReadonlyMap<number, TreeMessage>, last: number | null): number {
  let turns = 0;
  for (let seq = last; seq !== null; seq = messages.get(seq)?.parentSeq ?? null)
    if (messages.get(seq)?.role === "user") turns += 1;
  return turns;
}
