/** Counts what leaves the path of a chat when an answer is adopted in it. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";
import type { LoggedMessage } from "../../client/types.ts";

const PAGE = 1000;

/**
 * @param turn that the answer competes in, from 1
 * @returns how many messages the chat now shows after the answer of that turn @throws if the chat is gone
 */
export async function countLaterMessages(api: ParleyClient, id: string, turn: number): Promise<number> {
  const roles: LoggedMessage["role"][] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await api.sessions.messages(id, { after, limit: PAGE });
    roles.push(...page.messages.map(({ role }) => role));
    after = page.nextAfter;
  }
  const prompts = roles.flatMap((role, index) => (role === "user" ? [index] : []));
  const [prompt, next = roles.length] = prompts.slice(turn - 1, turn + 1);
  if (prompt === undefined) return 0;
  const answer = roles.indexOf("assistant", prompt);
  return roles.length - 1 - (answer > prompt && answer < next ? answer : prompt);
}
