/**
 * Moves logs into the archive, and removes them from there. When that is done, and that nothing else changes the session
 * meanwhile, is decided in `live/`. Effects: D1 and R2.
 */
import { archivedSeq } from "../../core/log-archive.ts";
import type { Message } from "../../core/message.ts";
import { logPage } from "../session-log.ts";
import type { LoggedSession } from "../session-log.ts";
import { deleteArchivedRows, forgetCandidate, markArchived } from "./archived-sessions.ts";
import { archiveError, objectName } from "./bucket.ts";
import type { LogStore } from "./bucket.ts";
import { writeArchive } from "./write-archive.ts";

/**
 * Moves the log of a session that nothing else changes into the archive: writes it there, marks the session's row, and
 * then deletes the rows of messages. Stopped at any step, it is simply called again.
 *
 * @param session as D1 has it now
 */
export async function archiveLog(store: LogStore, session: LoggedSession): Promise<void> {
  const { db, archive: bucket } = store;
  const { id, lastSeq, archive: earlier } = session;
  if (!bucket) return;
  let archive = earlier;
  if (!archive || archive.lastSeq < lastSeq) {
    archive = await writeArchive(bucket, id, earlier, pagesAfter(store, session, archivedSeq(session)));
    await markArchived(db, id, archive);
  }
  await deleteArchivedRows(db, id, archive);
  await forgetCandidate(db, id, archive);
}

/** Pages of the log up to the session's last message. @throws when there are fewer messages */
async function* pagesAfter(store: LogStore, session: LoggedSession, after: number): AsyncGenerator<Message[], void> {
  for (let last = after; last < session.lastSeq;) {
    const { items } = await logPage(store, session, { after: last, limit: session.lastSeq - last });
    const found = items.at(-1)?.seq;
    if (found === undefined) throw new Error(`The log of ${session.id} ends at message ${last} of ${session.lastSeq}`);
    yield items;
    last = found;
  }
}

/** Removes a session's object from the archive, if there is an archive. */
export async function deleteArchive({ archive }: LogStore, id: string): Promise<void> {
  await archive?.delete(objectName(id)).catch((cause: unknown) => {
    throw archiveError("The archive could not be changed", cause);
  });
}
