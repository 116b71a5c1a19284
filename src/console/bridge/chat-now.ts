/** Reads how a chat is now: whether it takes messages, and the last message of its log, on whichever path. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";
import type { ChatNow } from "./refusal.ts";

const PAGE = 1000;

/** @throws if it is gone */
export async function readChatNow(api: ParleyClient, id: string): Promise<ChatNow> {
  const { status } = await api.sessions.get(id);
  let lastSeq = 0;
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await api.sessions.tree(id, { after, limit: PAGE });
    lastSeq = page.messages.at(-1)?.seq ?? lastSeq;
    after = page.nextAfter;
  }
  return { status, lastSeq };
}
