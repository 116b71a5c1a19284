/**
 * Which answers of a comparison were adopted in its chat: the messages there say from which endpoint they are. Of two answers of one
 * endpoint with the same text, the messages do not say which one it was: the tab remembers what was adopted here. Calls the network,
 * and uses the storage of the tab.
 */
import type { ParleyClient } from "../../client/index.ts";
import type { Comparison, TreeMessage } from "../../client/types.ts";

export interface AdoptedAnswer {
  /** Of the message in the chat. */
  seq: number;
  /** The chat of the comparison that it is from; `null` if nobody knows. */
  chatId: string | null;
  endpoint: string;
  text: string;
  /** Of the chat, from 1. */
  turn: number;
}

/** An answer in the comparison. */
interface Answer {
  chatId: string;
  endpoint: string | null;
  text: string;
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
  const remembered = readRemembered(sessionId);
  return [...messages.values()].flatMap(({ seq, content: text, parentSeq, author }) => {
    if (author?.kind !== "adopted" || author.sessionId !== sessionId || author.endpoint === undefined) return [];
    const turn = turnsUpTo(messages, parentSeq);
    return { seq, chatId: remembered[seq] ?? null, endpoint: author.endpoint, text, turn };
  });
}

/**
 * Each message is from one answer, and each answer is adopted once.
 *
 * @param adopted in the place of one recorded answer @param answers to the same turn, in the order of the columns
 * @returns the `seq` of the message, by the chat of the answer
 */
export function matchAdopted(adopted: readonly AdoptedAnswer[], answers: readonly Answer[]): Map<string, number> {
  const matched = new Map<string, number>();
  const [known, unknown] = [adopted.filter(({ chatId }) => chatId !== null), adopted.filter(({ chatId }) => !chatId)];
  for (const { seq, chatId, endpoint, text } of [...known, ...unknown]) {
    const answer = answers.find(
      (one) =>
        (chatId ?? one.chatId) === one.chatId &&
        one.endpoint === endpoint &&
        one.text === text &&
        !matched.has(one.chatId),
    );
    if (answer) matched.set(answer.chatId, seq);
  }
  return matched;
}

/** How many messages of the user a path has. */
function turnsUpTo(messages: ReadonlyMap<number, TreeMessage>, last: number | null): number {
  let turns = 0;
  for (let seq = last; seq !== null; seq = messages.get(seq)?.parentSeq ?? null)
    if (messages.get(seq)?.role === "user") turns += 1;
  return turns;
}

const keptAs = (id: string): string => `parley.adopted.${id}`;

/** @param id of the comparison @param seq of the message in the chat */
export function rememberAdoption(id: string, seq: number, chatId: string): void {
  sessionStorage.setItem(keptAs(id), JSON.stringify({ ...readRemembered(id), [seq]: chatId }));
}

/** Chats of the comparison by the `seq` of the message. */
const readRemembered = (id: string): Record<number, string> =>
  JSON.parse(sessionStorage.getItem(keptAs(id)) ?? "{}") as Record<number, string>;
