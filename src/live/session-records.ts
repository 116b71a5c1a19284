/** The records of a session outside its object, as the room reads and writes them. Effects: D1 and the archive. */
import { archiveLog, deleteArchive } from "../store/archive/archive-log.ts";
import { addCandidate } from "../store/archive/archived-sessions.ts";
import { logStore } from "../store/archive/bucket.ts";
import { findEndpoint } from "../store/endpoints.ts";
import { logPage } from "../store/session-log.ts";
import { deleteSession, findSession, writeSession } from "../store/sessions.ts";
import { cachedReferences, cachedTurnContext, readTurnContext } from "../store/turn-context.ts";
import type { SessionRecords } from "./session-world.ts";

export function sessionRecords(env: Env): SessionRecords {
  const store = logStore(env);
  const { db } = store;
  return {
    findSession: (id) => findSession(db, id),
    readMessages: async (session, after) =>
      (await logPage(store, session, { after, limit: session.lastSeq - after })).items,
    readTurnContext: (session) => readTurnContext(env.DB, session),
    findEndpoint: (id) => findEndpoint(db, id),
    cachedTurnContext,
    cachedReferences,
    writeSession: (session, changed) => writeSession(db, session, [], changed),
    archiveLog: (session) => archiveLog(store, session),
    addArchiveCandidate: (id, at) => addCandidate(db, id, at),
    // The archive first: if D1 fails then, the session is still there, and its removal is called again.
    deleteSession: async (id) => {
      await deleteArchive(store, id);
      await deleteSession(db, id);
    },
  };
}
