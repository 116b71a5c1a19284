/** Counts what leaves the path of a chat when an answer is adopted in it. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";
import type { TreeMessage } from "../../client/types.ts";

const PAGE = 1000;

/** A turn as it was recorded. */
export interface RecordedTexts {
  prompt: string;
  /** Empty for none. */
  answer: string;
}

type Place = Pick<TreeMessage, "seq" | "parentSeq" | "role" | "content" | "active">;

/**
 * @param turns up to the one that the answer competes in
 * @returns how many messages the chat now shows that it will not show then, but for the answer in the same place
 * @throws if the chat is gone
 */
export async function countLaterMessages(api: ParleyClient, id: string, turns: RecordedTexts[]): Promise<number> {
  const messages: Place[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await api.sessions.tree(id, { after, limit: PAGE });
    messages.push(...page.messages);
    after = page.nextAfter;
  }
  return countOffPath(messages, turns);
}

/** The answer goes behind the prompt of its turn, which may be in a variant that is not shown. Pure. */
export function countOffPath(messages: Place[], turns: RecordedTexts[]): number {
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  const prompts = messages
    .filter(({ role, content }) => role === "user" && content === turns.at(-1)?.prompt)
    .map((prompt) => pathTo(bySeq, prompt))
    .filter((path) => isOfTurns(path, turns));
  const stays = prompts.find((path) => path.at(-1)?.active) ?? prompts[0];
  if (!stays) return 0;
  const end = stays.at(-1)?.seq;
  const leaving = messages.filter((message) => message.active && !stays.includes(message));
  return leaving.filter(({ role, parentSeq }) => role !== "assistant" || parentSeq !== end).length;
}

/** Oldest first. */
function pathTo(bySeq: ReadonlyMap<number, Place>, last: Place): Place[] {
  const path: Place[] = [];
  for (let at: Place | undefined = last; at; at = at.parentSeq === null ? undefined : bySeq.get(at.parentSeq))
    path.push(at);
  return path.toReversed();
}

/** Whether a path has the prompts and the answers of these turns. That of the last turn is not on it. */
function isOfTurns(path: Place[], turns: RecordedTexts[]): boolean {
  const prompts = path.flatMap(({ role }, index) => (role === "user" ? [index] : []));
  return (
    prompts.length === turns.length &&
    turns.every(({ prompt, answer }, index) => {
      const rest = path.slice(prompts[index], prompts[index + 1]);
      const given = rest.find(({ role }) => role === "assistant")?.content;
      const isSame = answer === "" || index === turns.length - 1 || given === answer;
      return rest[0]?.content === prompt && isSame;
    })
  );
}
