/** Finds the last message of a chat's log, on whichever path it is. Calls the network. */
import type { ParleyClient } from "../../client/index.ts";

const PAGE = 1000;

/** @returns `null` if the chat takes no messages @throws if it is gone */
export async function lastSeqOf(api: ParleyClient, id: string): Promise<number | null> {
  const { status } = await api.sessions.get(id);
  if (status !== "ACTIVE") return null;
  let last = 0;
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = await api.sessions.tree(id, { after, limit: PAGE });
    last = page.messages.at(-1)?.seq ?? last;
    after = page.nextAfter;
  }
  return last;
}
