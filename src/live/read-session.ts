/**
 * Reads a session in the Worker: from the session's object, or else from D1 and the archive. Nowhere else in the code
 * decides between the two. An object has everything about a session that is in use; otherwise it answers `null`. A log
 * can be longer than what fits in memory, so it is read page by page.
 *
 * Writing to a session does not belong here, nor does presenting it: each dialect does that. Effects: RPC calls to the
 * object and queries to D1. The caller passes how to measure them.
 */
import type { Message } from "../core/message.ts";
import { MAX_LOG_MESSAGES } from "../core/message.ts";
import { MessageTree } from "../core/message-tree.ts";
import type { ActivePath, TreeShape } from "../core/message-tree.ts";
import { CallerLeft } from "../core/failure.ts";
import type { Outcome } from "../core/failure.ts";
import type { Batch } from "../core/page.ts";
import { isHidden } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import { MAX_SHOWN_CHARACTERS, MAX_SHOWN_MESSAGES, shownAs } from "../core/shown-window.ts";
import { waitAtMost } from "../core/time-limit.ts";
import { logStore } from "../store/archive/bucket.ts";
import type { LogStore } from "../store/archive/bucket.ts";
import { logPage, logWindowStart, readTree as treeOfLog } from "../store/session-log.ts";
import { findSession } from "../store/sessions.ts";
import { addReferences, cachedReferences, isReferencesRefreshDue, readChatContext } from "../store/turn-context.ts";
import type { ReferencedRecords } from "../store/turn-context.ts";
import { PageQueue } from "./page-queue.ts";
import { sessionStub } from "./session-client.ts";
import type { SessionStub } from "./session-client.ts";
import type {
  History,
  LiveSnapshot,
  PageFilter,
  RecordOptions,
  SessionResult,
  TurnSnapshot,
} from "./session-results.ts";
import { D1_TIMEOUT_MS } from "./turns/turn-context.ts";

/**
 * What a reader needs of the Worker: its bindings, how to measure the calls to an object and the queries to D1, and how to
 * outlive the call.
 */
export interface SessionReader {
  env: Env;
  measure: <T>(source: "session" | "index", work: Promise<T>) => Promise<T>;
  /** Keeps work going after the call was answered. */
  keepAlive: (work: Promise<unknown>) => void;
  /** Whether the caller has left: then nothing more is read. */
  hasLeft: () => boolean;
}

/** The further pages of all long answers in this isolate. */
const pages = new PageQueue();

/** Messages of one page of a log. Long messages make a page shorter. */
const PAGE_MESSAGES = 1_000;

/** @returns what the object answers, or what is stored; `null` when the session does not exist @throws {CallerLeft} */
async function fromObjectOrStore<T>(
  { env, measure, hasLeft }: SessionReader,
  id: string,
  readObject: (object: SessionStub) => Promise<Outcome<T | null>>,
  readStore: (store: LogStore) => Promise<T | null>,
): Promise<T | null> {
  if (hasLeft()) throw new CallerLeft();
  const live = await measure("session", readObject(sessionStub(env, id)));
  if (!live.ok) return null;
  if (hasLeft()) throw new CallerLeft();
  return live.value ?? measure("index", readStore(logStore(env)));
}

/**
 * Reads a session. `null` when it does not exist.
 *
 * @param history `whole` reads the newest of its messages too; `added` reads none
 */
export const readSession = (
  reader: SessionReader,
  id: string,
  history: History,
  options: RecordOptions = {},
): Promise<LiveSnapshot | null> =>
  fromObjectOrStore(
    reader,
    id,
    (object) => object.read({ history, options }),
    async (store) => {
      const session = await findSession(store.db, id);
      if (!session) return null;
      const shown = history === "whole" ? await readNewest(reader, session, options) : { messages: [], upTo: 0 };
      return { session, ...shown, chatbot: null, client: null };
    },
  );

/** Reads a turn of a session. `null` when the session does not exist. A hidden turn is as one that is not known. */
export async function readTurn(reader: SessionReader, id: string, turnId: string): Promise<TurnSnapshot | null> {
  const found = await fromObjectOrStore(
    reader,
    id,
    (object) => object.turn({ turnId }),
    async (store) => {
      const session = await findSession(store.db, id);
      return session && { session, messages: await turnOf(reader, store, session, turnId), isOpen: false };
    },
  );
  return found && isHidden(found.session, turnId) ? { ...found, messages: [], isOpen: false } : found;
}

async function turnOf(reader: SessionReader, store: LogStore, session: Session, turnId: string): Promise<Message[]> {
  const found: Message[] = [];
  const log = logOf(reader, session, { after: 0, upTo: session.lastSeq });
  for await (const message of messagesOf(log, { form: "short" })) if (message.turnId === turnId) found.push(message);
  const last = found.at(-1);
  if (last?.reply?.requestFields !== "") return found;
  const { items } = await logPage(store, session, { after: last.seq - 1, limit: 1 });
  return found.toSpliced(-1, 1, ...items);
}

/** The newest messages of a session that no object has, as a result has them. @throws {CallerLeft} */
async function readNewest(
  { env, hasLeft }: SessionReader,
  session: Session,
  { withReceipts = false }: RecordOptions = {},
) {
  const store = logStore(env);
  const { kind, lastSeq: upTo } = session;
  if (upTo <= MAX_SHOWN_MESSAGES) {
    const { items, hasMore } = await logPage(store, session, { after: 0, limit: upTo });
    if (!hasMore) return { messages: items, after: 0, upTo };
  }
  // Megabytes of text may be counted for it.
  const after = await pages.read(hasLeft, () => logWindowStart(store, session, upTo, shownAs(kind, withReceipts)));
  return { messages: [], after, upTo, isTruncated: after > 0 };
}

/**
 * The chatbot and the client of a session, from memory if this isolate or the object's read them within two seconds.
 * While D1 is slow or down, as the object last read them.
 */
export async function readReferenced(
  { env, measure, keepAlive }: SessionReader,
  { session, chatbot, client, referencesReadAt: readAt }: LiveSnapshot,
): Promise<ReferencedRecords> {
  if (session.chatbotId === null) return { chatbot: null, client: null };
  if (readAt !== undefined) addReferences(session, { chatbot, client, readAt });
  const cached = cachedReferences(session);
  if (cached && !isReferencesRefreshDue(session)) return cached;
  const read = readChatContext(env.DB, session);
  if (cached) {
    keepAlive(read.catch(() => undefined));
    return cached;
  }
  return chatbot
    ? measure("index", waitAtMost(D1_TIMEOUT_MS, read)).catch(() => ({ chatbot, client }))
    : measure("index", read);
}

/** A part of a session's log, read page by page. */
export interface OpenLog {
  /** The session at the moment when the log was opened. */
  session: Session;
  /** The `seq` before the first message; 0 for a log from its start. */
  after: number;
  /** The `seq` of the last message. */
  upTo: number;
  /** Messages after a `seq`, oldest first. @throws when the session was deleted meanwhile */
  page: (after: number, limit?: number, filter?: PageFilter) => Promise<Batch<Message>>;
}

/** Opens the log of a session. `null` when the session does not exist. */
export async function openLog(reader: SessionReader, id: string): Promise<OpenLog | null> {
  const found = await readSession(reader, id, "added");
  return found && logOf(reader, found.session, { after: 0, upTo: found.session.lastSeq });
}

function logOf(reader: SessionReader, session: Session, range: Pick<OpenLog, "after" | "upTo">): OpenLog {
  // Pages are read while the answer is sent; its headers, with the times in them, have been sent by then.
  const unmeasured: SessionReader = { ...reader, measure: (_, work) => work };
  const page: OpenLog["page"] = async (after, limit = PAGE_MESSAGES, filter = {}) => {
    const read = () =>
      fromObjectOrStore(
        unmeasured,
        session.id,
        (object) => object.page({ after, limit, which: "all", filter }),
        (store) => logPage(store, session, { after, limit, ...filter }),
      );
    const batch = await pages.read(reader.hasLeft, read);
    if (!batch) throw new Error("The session was deleted while its log was read");
    return batch;
  };
  return { session, ...range, page };
}

/**
 * Every message of an open log, or those of a filter.
 *
 * @throws when the log ends early: a part of it must not pass for the whole
 */
export async function* messagesOf(log: OpenLog, filter: PageFilter = {}): AsyncGenerator<Message, void> {
  const { after, upTo, page } = log;
  for (let last = after; last < upTo;) {
    const { items, hasMore } = await page(last, PAGE_MESSAGES, filter);
    yield* items.filter(({ seq }) => seq <= upTo);
    last = items.at(-1)?.seq ?? last;
    if (!hasMore) return requireEnd(log, last, filter);
    // Lets other calls of the isolate run: a reader who sends little or nothing meanwhile would leave them no time.
    await scheduler.wait(0);
  }
}

/** @throws when messages of the log are missing: its session was deleted */
async function requireEnd({ upTo, page }: OpenLog, last: number, filter: PageFilter): Promise<void> {
  if (last >= upTo) return;
  const isPartial = filter.chatId !== undefined || filter.form === "counts" || filter.ofTurns === true;
  // Those that a filter leaves out may end the log, but then they are there.
  const isThere = isPartial && (await page(last, 1, { form: "short" })).items.length > 0;
  if (!isThere) throw new Error(`The log ends at message ${last} of ${upTo}`);
}

/** The log of a session as a tree. `null` when the session does not exist. */
export async function readTree(reader: SessionReader, id: string): Promise<MessageTree | null> {
  const page = await readTreePage(reader, id, MAX_LOG_MESSAGES, 1);
  return page?.tree ?? null;
}

/** Messages with the tree that they are in. */
interface TreePage extends Batch<Message> {
  tree: MessageTree;
  activePath: ActivePath;
}

/** Reads messages after a `seq`, oldest first, also those without text. `null` when the session does not exist. */
export async function readTreePage(
  reader: SessionReader,
  id: string,
  after: number,
  limit: number,
): Promise<TreePage | null> {
  const found = await readSession(reader, id, "added");
  if (!found) return null;
  const { session } = found;
  const filter = { form: "short", withTree: true } as const;
  const page = await fromObjectOrStore<Batch<Message> & { tree?: TreeShape }>(
    reader,
    id,
    (object) => object.page({ after, limit, which: "all", filter }),
    (store) => logPage(store, session, { after, limit, form: "short" }),
  );
  if (!page) return null;
  const { lastSeq, activePath } = session;
  const tree = page.tree ? new MessageTree(page.tree) : await treeOfLog(logStore(reader.env), session);
  return { ...page, tree, activePath: activePath ?? null, items: page.items.filter(({ seq }) => seq <= lastSeq) };
}

/** What a result shows of a log: its messages, or where to read them when they are more than is passed on at once. */
export type Shown = { isTruncated: boolean } & ({ messages: Message[]; log: null } | { messages: null; log: OpenLog });

export async function shownOf(reader: SessionReader, result: SessionResult): Promise<Shown> {
  const { session, messages, after = 0, upTo, isTruncated = false } = await withMessages(reader, result);
  const isComplete = (messages.at(-1)?.seq ?? after) >= upTo;
  return isComplete
    ? { isTruncated, messages, log: null }
    : { isTruncated, messages: null, log: logOf(reader, session, { after, upTo }) };
}

/** An object without a log does not know which messages to present. */
const withMessages = async (reader: SessionReader, result: SessionResult): Promise<SessionResult> =>
  result.after === undefined && result.messages.length === 0 && result.upTo > 0
    ? { ...result, ...(await reader.measure("index", readNewest(reader, result.session))) }
    : result;

/** The answer to a call for messages. */
export interface MessagesPage {
  /** As many messages as are read at once. */
  first: Batch<Message>;
  /** The others, batch by batch, as many as one answer shows. `null` when the first batch has all. */
  rest: AsyncGenerator<Batch<Message>, void> | null;
}

type ReadBatch = (after: number, limit: number) => Promise<Batch<Message> | null>;

/** Reads the messages with text after a `seq`, oldest first. `null` when the session does not exist. */
export async function readMessages(
  reader: SessionReader,
  id: string,
  after: number,
  limit: number,
): Promise<MessagesPage | null> {
  const read: ReadBatch = (from, most) =>
    fromObjectOrStore(
      reader,
      id,
      (object) => object.page({ after: from, limit: most, which: "shown" }),
      async (store) => {
        const session = await findSession(store.db, id);
        return session && logPage(store, session, { after: from, limit: most, which: "shown" });
      },
    );
  const readNext: ReadBatch = (from, most) => pages.read(reader.hasLeft, () => read(from, most));
  const first = await read(after, limit);
  return (
    first && { first, rest: first.hasMore && first.items.length < limit ? batchesAfter(first, limit, readNext) : null }
  );
}

async function* batchesAfter(
  first: Batch<Message>,
  limit: number,
  read: ReadBatch,
): AsyncGenerator<Batch<Message>, void> {
  let [batch, count, characters] = [first, first.items.length, charactersOf(first.items)];
  while (batch.hasMore && count < limit) {
    const next = await read(batch.items.at(-1)?.seq ?? Infinity, limit - count);
    if (!next) throw new Error("The session was deleted while its messages were read");
    const items = next.items.filter(({ content }) => (characters += content.length) <= MAX_SHOWN_CHARACTERS);
    const isCut = items.length < next.items.length;
    yield { items, hasMore: next.hasMore || isCut };
    if (isCut) return;
    batch = next;
    count += items.length;
  }
}

const charactersOf = (messages: Message[]): number => messages.reduce((sum, { content }) => sum + content.length, 0);
