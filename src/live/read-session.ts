/**
 * Reads a session in the Worker: from the session's object, or else from D1. Nowhere else in the code decides between
 * the two. An object has everything about a session that is in use; it answers `null` when D1 has the whole session.
 *
 * Writing to a session does not belong here, nor does presenting it: each dialect does that. Effects: RPC calls to the
 * object and queries to D1. The caller passes how to measure them.
 */
import type { Message } from "../core/message.ts";
import type { Outcome } from "../core/failure.ts";
import type { Batch } from "../core/page.ts";
import type { Session } from "../core/session.ts";
import type { Database } from "../store/database.ts";
import { database } from "../store/database.ts";
import { messagesPage, readLog } from "../store/messages.ts";
import { findReferenced } from "../store/session-list.ts";
import { findSession } from "../store/sessions.ts";
import { sessionStub } from "./session-client.ts";
import type { SessionStub } from "./session-client.ts";
import type { History, LiveSnapshot, SessionResult } from "./session-results.ts";

/**
 * What a reader needs: the Worker's bindings, and a function that measures the calls to an object and the queries to
 * D1.
 */
export interface SessionReader {
  env: Env;
  measure: <T>(source: "session" | "index", work: Promise<T>) => Promise<T>;
}

/** How many messages to request from an object at once. It returns fewer when they do not fit in one RPC answer. */
const ALL_MESSAGES = 1_000_000;

/** Messages of one page of an open log. Long messages make a page shorter. */
const PAGE_MESSAGES = 1_000;

/** @returns what the object answers, or what D1 has; `null` when the session does not exist */
async function fromObjectOrD1<T>(
  { env, measure }: SessionReader,
  id: string,
  readObject: (object: SessionStub) => Promise<Outcome<T | null>>,
  readD1: (db: Database) => Promise<T | null>,
): Promise<T | null> {
  const live = await measure("session", readObject(sessionStub(env, id)));
  if (!live.ok) return null;
  return live.value ?? measure("index", readD1(database(env.DB)));
}

/**
 * Reads a session. `null` when it does not exist.
 *
 * @param history `whole` reads all its messages too; `added` reads none
 */
export async function readSession(reader: SessionReader, id: string, history: History): Promise<LiveSnapshot | null> {
  const found = await fromObjectOrD1(
    reader,
    id,
    (object) => object.read({ history }),
    async (db) => {
      const session = await findSession(db, id);
      if (!session) return null;
      const messages = history === "whole" ? await readLog(db, id, session.lastSeq) : [];
      return { session, messages, upTo: 0, chatbot: null, client: null };
    },
  );
  return found && { ...found, messages: await readRemaining(reader, found) };
}

/** Completes the messages of a result: what did not fit in its RPC answer is read in further calls. */
export async function readRemaining(reader: SessionReader, result: SessionResult): Promise<Message[]> {
  const { session, upTo } = result;
  const messages = [...result.messages];
  for (let last = messages.at(-1)?.seq ?? 0; last < upTo; last = messages.at(-1)?.seq ?? upTo) {
    const rest = await fromObjectOrD1(
      reader,
      session.id,
      async (object) => itemsOf(await object.page({ after: last, limit: ALL_MESSAGES, which: "all" })),
      // The session has ended since the first call.
      (db) => readLog(db, session.id, upTo, last),
    );
    if (!rest?.length) break;
    messages.push(...rest.filter(({ seq }) => seq <= upTo));
  }
  return messages;
}

const itemsOf = (page: Outcome<Batch<Message> | null>): Outcome<Message[] | null> =>
  page.ok ? { ok: true, value: page.value?.items ?? null } : page;

/** Reads the messages with text after a `seq`, oldest first. `null` when the session does not exist. */
export const readMessages = (
  reader: SessionReader,
  id: string,
  after: number,
  limit: number,
): Promise<Batch<Message> | null> =>
  fromObjectOrD1(
    reader,
    id,
    (object) => object.page({ after, limit, which: "shown" }),
    async (db) => (await findSession(db, id)) && messagesPage(db, id, after, limit, "shown"),
  );

/** Reads the chatbot and the client of a session. While D1 is down, returns them as the object last read them. */
export async function readReferenced({ env, measure }: SessionReader, { session, chatbot, client }: LiveSnapshot) {
  try {
    return await measure("index", findReferenced(database(env.DB), session));
  } catch (error) {
    if (!chatbot) throw error;
    return { chatbot, client };
  }
}

/** The log of a session at one moment, read page by page: it can be longer than what fits in memory. */
export interface OpenLog {
  /** The session at that moment. The log ends at its `lastSeq`. */
  session: Session;
  /** Messages after a `seq`, oldest first. @throws when the session was deleted meanwhile */
  page: (after: number, limit?: number) => Promise<Message[]>;
}

/** Opens the log of a session. `null` when the session does not exist. */
export async function openLog(reader: SessionReader, id: string): Promise<OpenLog | null> {
  const found = await readSession(reader, id, "added");
  if (!found) return null;
  // Pages are read while the answer is sent; its headers, with the times in them, have been sent by then.
  const unmeasured: SessionReader = { env: reader.env, measure: (_, work) => work };
  const page: OpenLog["page"] = async (after, limit = PAGE_MESSAGES) => {
    const batch = await fromObjectOrD1(
      unmeasured,
      id,
      (object) => object.page({ after, limit, which: "all" }),
      (db) => messagesPage(db, id, after, limit, "all"),
    );
    if (!batch) throw new Error("The session was deleted while its log was read");
    return batch.items;
  };
  return { session: found.session, page };
}

/** Every message of an open log. @throws when the log ends early: a part of it must not pass for the whole */
export async function* messagesOf({ session: { lastSeq }, page }: OpenLog): AsyncGenerator<Message, void> {
  for (let after = 0; after < lastSeq;) {
    const messages = await page(after);
    const last = messages.at(-1);
    if (!last) throw new Error(`The log ends at message ${after} of ${lastSeq}`);
    yield* messages.filter(({ seq }) => seq <= lastSeq);
    after = last.seq;
  }
}
