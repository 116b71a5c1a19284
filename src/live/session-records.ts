import { database } from "../store/database.ts";
import { messagesPage } from "../store/messages.ts";
import { deleteSession, findSession, writeSession } from "../store/sessions.ts";
import { cachedReferences, cachedTurnContext, readTurnContext } from "../store/turn-context.ts";
import type { SessionRecords } from "./session-world.ts";

/** The records of a session in D1, as the room reads and writes them. Effects: D1. */
export function sessionRecords(d1: D1Database): SessionRecords {
  const db = database(d1);
  return {
    findSession: (id) => findSession(db, id),
    readMessages: async ({ id, lastSeq }, after) =>
      (await messagesPage(db, id, { after, limit: lastSeq - after })).items,
    readTurnContext: (session) => readTurnContext(d1, session),
    cachedTurnContext,
    cachedReferences,
    writeSession: (session, changed) => writeSession(db, session, [], changed),
    deleteSession: (id) => deleteSession(db, id),
  };
}
