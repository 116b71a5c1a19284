/**
 * Reads the log of a session that no object holds: its first part from the archive, if that has it, and the rest from
 * D1. Nowhere else decides between the two.
 *
 * A session can be archived between two reads. So whoever reads rows of D1 looks at what the session's row says then.
 * Writing to the archive does not belong here: that is `archive/archive-log.ts`. Effects: D1 and R2.
 */
import type { LogArchive } from "../core/log-archive.ts";
import type { Message } from "../core/message.ts";
import { hasText } from "../core/message.ts";
import { MessageTree, forksOf, isOnPath } from "../core/message-tree.ts";
import type { ActivePath, TreeShape } from "../core/message-tree.ts";
import type { Batch } from "../core/page.ts";
import type { Session } from "../core/session.ts";
import { SIZES_OF_WINDOW, windowStart } from "../core/shown-window.ts";
import type { MessageSize, ShownAs } from "../core/shown-window.ts";
import { selectArchives } from "./archive/archived-sessions.ts";
import type { LogStore } from "./archive/bucket.ts";
import { archivedPage, chunksBackwards } from "./archive/read-archive.ts";
import type { ArchivedSession } from "./archive/read-archive.ts";
import { charactersOfMessage } from "./message-sizes.ts";
import { messagesPage, readNewestSizes, readWindowStart } from "./messages.ts";
import type { PageQuery } from "./messages.ts";

/** What is known of a session whose log is read. */
export type LoggedSession = Pick<Session, "id" | "lastSeq" | "archive" | "activePath">;

/** Messages, oldest first: at most `limit`, and no more than fit into a batch. */
export async function logPage(store: LogStore, session: LoggedSession, query: PageQuery): Promise<Batch<Message>> {
  const { id, archive } = session;
  if (archive && query.after < archive.lastSeq) return pageFromArchive(store, { ...session, archive }, query);
  const page = await messagesPage(store.db, id, query);
  const mayHaveMoved = page.archivedSeq === null ? query.after < session.lastSeq : page.archivedSeq > query.after;
  if (!mayHaveMoved) return page;
  const moved = await readArchive(store, id);
  return moved && moved.lastSeq > query.after ? logPage(store, { ...session, archive: moved }, query) : page;
}

async function pageFromArchive(
  store: LogStore,
  session: LoggedSession & { archive: LogArchive },
  query: PageQuery,
): Promise<Batch<Message>> {
  const { archive, lastSeq } = session;
  const { items, hasMore } = await archivedPage(store.archive, session, query);
  if (hasMore || lastSeq <= archive.lastSeq) return { items, hasMore };
  const missing = query.limit - items.length;
  const rest = await logPage(store, session, { ...query, after: archive.lastSeq, limit: Math.max(1, missing) });
  if (missing <= 0) return { items, hasMore: rest.items.length > 0 };
  return { items: [...items, ...rest.items], hasMore: rest.hasMore };
}

/** The log as a tree. Reads all of it if the session has variants, and otherwise nothing. */
export async function readTree(store: LogStore, session: LoggedSession): Promise<MessageTree> {
  const { lastSeq, activePath } = session;
  const forks: TreeShape["forks"] = [];
  for (let after = activePath ? 0 : lastSeq; after < lastSeq;) {
    const { items } = await logPage(store, session, { after, limit: lastSeq - after, form: "short" });
    forks.push(...forksOf(items));
    after = items.at(-1)?.seq ?? lastSeq;
  }
  return new MessageTree({ lastSeq, forks });
}

/** Where the archive has a session's log now. */
async function readArchive({ db }: LogStore, id: string): Promise<LogArchive | null> {
  const [row] = await selectArchives(db, [id]);
  return row?.archive ?? null;
}

/** The `seq` of the last message that an answer leaves out; 0 if it shows all. @param upTo the last message to show */
export async function logWindowStart(
  store: LogStore,
  session: LoggedSession,
  upTo: number,
  shownAs: ShownAs,
): Promise<number> {
  if (!session.archive) {
    const begin = await readWindowStart(store.db, session.id, upTo, shownAs);
    // Read after the rows, so that it knows of all that are missing.
    const archive = store.archive && (await readArchive(store, session.id));
    return archive ? logWindowStart(store, { ...session, archive }, upTo, shownAs) : begin;
  }
  const { id, archive, activePath } = session;
  const sizes = await readNewestSizes(store.db, id, archive.lastSeq, upTo, shownAs);
  // Without any, they may have been archived by now.
  const moved = sizes.length === 0 && archive.lastSeq < upTo ? await readArchive(store, id) : null;
  return moved && moved.lastSeq > archive.lastSeq
    ? logWindowStart(store, { ...session, archive: moved }, upTo, shownAs)
    : archivedWindowStart(store, { id, archive, activePath }, sizes, upTo, shownAs);
}

/** @param newer the sizes of the messages that are not in the archive, newest first */
async function archivedWindowStart(
  store: LogStore,
  session: ArchivedSession,
  newer: MessageSize[],
  upTo: number,
  shownAs: ShownAs,
): Promise<number> {
  const sizes = [...newer];
  for await (const messages of chunksBackwards(store.archive, session)) {
    if (windowStart(completeTurns(sizes, shownAs), shownAs) > 0 || sizes.length >= SIZES_OF_WINDOW) break;
    sizes.push(...sizesOf(messages, session.activePath, upTo, shownAs));
  }
  return windowStart(sizes.slice(0, SIZES_OF_WINDOW), shownAs);
}

/** Without the oldest turn, of which messages may be missing. */
function completeTurns(newestFirst: MessageSize[], shownAs: ShownAs): MessageSize[] {
  if (shownAs === "messages") return newestFirst;
  const oldest = newestFirst.at(-1)?.turnId;
  return newestFirst.filter(({ turnId }) => turnId !== oldest);
}

const sizesOf = (messages: Message[], path: ActivePath, upTo: number, shownAs: ShownAs): MessageSize[] =>
  messages
    .filter(
      (message) => message.seq <= upTo && (shownAs !== "messages" || (hasText(message) && isOnPath(path, message.seq))),
    )
    .map((message) => ({
      seq: message.seq,
      turnId: message.turnId,
      isReply: message.reply !== null,
      characters: charactersOfMessage(message, shownAs),
    }))
    .toReversed();
