import { database } from "../store/database.ts";
import { readLog } from "../store/messages.ts";
import { deleteSession, findSession, writeSession } from "../store/sessions.ts";
import type { SessionRecords } from "./session-world.ts";
import { readTurnContext } from "./turns/turn-context.ts";

/** The records of a session in D1, as the room reads and writes them. Effects: D1. */
export function sessionRecords(d1: D1Database): SessionRecords {
  const db = database(d1);
  return {
    findSession: (id) => findSession(db, id),
    readLog: ({ id, lastSeq }) => readLog(db, id, lastSeq),
    readTurnContext: (session) => readTurnContext(db, session),
    writeSession: (session) => writeSession(db, session, [], true),
    deleteSession: (id) => deleteSession(db, id),
  };
}
