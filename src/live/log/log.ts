import type { Message, NewMessage, ReplyDetail } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../../core/page.ts";
import type { Batch } from "../../core/page.ts";
import type { Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import type { RunningTurn, Turn } from "../../core/turn.ts";
import { SCHEMA_STEPS, isEmpty, migrate } from "./schema.ts";
import type { TurnContext } from "../../store/turn-context.ts";

/** How far the index database has followed: what has a higher number has yet to be carried there. */
export interface ReplicationCursor {
  lastSeq: number;
  metadataVersion: number;
}

/** What a caller was told of a thing that it sent under a key of its own. */
export type SavedResult = {
  /** Tells whether what comes again under the key is the same. */
  fingerprint: string;
  /** Of the message it became. */
  seq: number | null;
  /** Of the turn it became. */
  turn_id: string | null;
};

/** What follows from the messages alone, written with none of them: what comes after the state's is read off them. */
type Tally = Record<"last_seq" | "messages" | "appended_at", number>;

interface State {
  session: Session;
  replicated: ReplicationCursor;
  /** The running turn, so that an object that starts again knows what was interrupted. */
  turn: RunningTurn | null;
  /** Messages that the index database does not take: they are kept here for as long as the session is. */
  deadLetters: number[];
  /** Set once the session is to be removed: from then on it is denied to everyone. */
  removed: boolean;
}

type Row = Record<"chat_id" | "turn_id" | "detail", string | null> & {
  turn_number: number | null;
  seq: number;
  role: Message["role"];
  content: string;
  created_at: number;
};

/** How many messages are kept at hand, at least. */
const FRESH = 100;

/** A message's own columns, and the number of its turn. */
const COLUMNS = "seq, chat_id, turn_id, role, content, created_at, detail";
const SELECT = `SELECT ${COLUMNS}, (SELECT number FROM turns WHERE turns.turn_id = messages.turn_id) AS turn_number FROM messages`;

// Constants, because a statement is prepared once for each string, not for each text.
const INSERT_MESSAGE = `INSERT INTO messages (${COLUMNS}, appended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_TURN = "INSERT INTO turns (turn_id, started_at) VALUES (?, ?) RETURNING number";
const KEEP_TURN = "INSERT OR IGNORE INTO turns (turn_id, number, started_at) VALUES (?, ?, ?)";
const WRITE_STATE =
  "INSERT INTO state (one, state) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET state = excluded.state";
const MESSAGES_AFTER = `${SELECT} WHERE seq > ? ORDER BY seq`;
const CONVERSATION = `${SELECT} WHERE seq <= ? AND (detail IS NULL OR content <> '') ORDER BY seq DESC LIMIT ?`;
const SHOWN_AFTER = `${SELECT} WHERE seq > ? AND (detail IS NULL OR content <> '') ORDER BY seq`;
const OF_TURN = `${SELECT} WHERE turn_id = ? ORDER BY seq`;
const REPLIES = `${SELECT} WHERE chat_id = ? AND detail IS NOT NULL ORDER BY seq`;
const TALLY =
  "SELECT max(seq) AS last_seq, max(appended_at) AS appended_at, sum(detail IS NULL OR content <> '') AS messages FROM messages WHERE seq > ?";
const SETTLED = "SELECT chat_id FROM messages WHERE turn_id = ? AND detail IS NOT NULL";
const WRITE_KNOWN =
  "INSERT INTO cached_context (one, context) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET context = excluded.context";
const SAVE_DRAFT =
  "INSERT INTO drafts (chat_id, content) VALUES (?, ?) ON CONFLICT (chat_id) DO UPDATE SET content = excluded.content";
const ACKNOWLEDGED = "SELECT fingerprint, seq, turn_id FROM idempotency_keys WHERE caller = ? AND key = ?";
const ACKNOWLEDGE =
  "INSERT OR REPLACE INTO idempotency_keys (caller, key, fingerprint, seq, turn_id, at) VALUES (?, ?, ?, ?, ?, ?)";
const CALLS =
  "SELECT coalesce(sum(detail ->> 'attempts'), 0) AS calls FROM messages WHERE chat_id = ? AND detail IS NOT NULL";

const fromRow = ({ chat_id, turn_id, turn_number, created_at, detail, ...row }: Row): Message => ({
  ...row,
  chatId: chat_id,
  turnId: turn_id,
  turnNumber: turn_number,
  createdAt: created_at,
  reply: detail === null ? null : (JSON.parse(detail) as ReplyDetail),
});

/** Reads no row that it does not take, but one. */
function take(rows: Iterable<Row>, limit: number): Batch<Message> {
  const items: Message[] = [];
  let held = 0;
  for (const row of rows) {
    held += row.content.length + (row.detail?.length ?? 0);
    if (items.length === limit || (items.length > 0 && held > MAX_BATCH_CHARACTERS)) return { items, hasMore: true };
    items.push(fromRow(row));
  }
  return { items, hasMore: false };
}

const tallied = (session: Session, { last_seq, appended_at, messages }: Tally): Session => ({
  ...session,
  lastSeq: last_seq,
  updatedAt: appended_at,
  messageCount: session.messageCount + messages,
});

/**
 * A session's log and state in its object's own SQLite. Every method is synchronous, and what happens between two awaits
 * is one transaction. An object that holds no session has no tables: empty storage costs nothing.
 */
export class Log {
  readonly #storage: DurableObjectStorage;
  #state: State | null;
  /** The newest messages, as long as they are few: they are about to be carried, and need not be read back for it. */
  #fresh: Message[] = [];
  #known: string | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#state = this.#load();
  }

  #load(): State | null {
    const { sql } = this.#storage;
    if (isEmpty(sql)) return null;
    migrate(sql, SCHEMA_STEPS);
    const row = this.#storage.sql.exec<{ state: string }>("SELECT state FROM state").toArray()[0];
    if (!row) return null;
    const state = JSON.parse(row.state) as State;
    const { session } = state;
    const later = this.#storage.sql.exec<Tally | Record<keyof Tally, null>>(TALLY, session.lastSeq).one();
    return later.last_seq === null ? state : { ...state, session: tallied(session, later) };
  }

  /** What the object holds, or `null` while it holds no session. */
  get state(): Readonly<State> | null {
    return this.#state;
  }

  /** What the object holds. @throws when it holds nothing */
  get held(): Readonly<State> {
    if (!this.#state) throw new Error("The object holds no session");
    return this.#state;
  }

  /** Takes a session in, as the index database has it. */
  load(session: Session, messages: Message[], context: TurnContext): void {
    migrate(this.#storage.sql, SCHEMA_STEPS);
    this.cacheContext(context);
    for (const message of messages) this.#insert(message, session.updatedAt);
    for (const { turnId, turnNumber, createdAt } of messages) {
      if (turnId !== null && turnNumber !== null) this.#storage.sql.exec(KEEP_TURN, turnId, turnNumber, createdAt);
    }
    const { lastSeq, metadataVersion } = session;
    this.#write({ session, replicated: { lastSeq, metadataVersion }, turn: null, deadLetters: [], removed: false });
  }

  /** Appends messages. One row written for each. */
  append(added: NewMessage[], at: EpochMs): Message[] {
    const state = this.held;
    const messages = added.map((message, index) => ({ ...message, seq: state.session.lastSeq + 1 + index }));
    for (const message of messages) this.#insert(message, at);
    this.#fresh = this.#fresh.length < FRESH ? [...this.#fresh, ...messages] : messages;
    const lastSeq = state.session.lastSeq + messages.length;
    const messageCount = state.session.messageCount + messages.filter(hasText).length;
    this.#state = { ...state, session: { ...state.session, lastSeq, messageCount, updatedAt: at } };
    return messages;
  }

  /** Gives a turn its number and notes that it runs. One row written. */
  startTurn(turnId: string, chatIds: string[], startedAt: EpochMs): Turn {
    const { sql } = this.#storage;
    const { number } = sql.exec<{ number: number }>(INSERT_TURN, turnId, startedAt).one();
    const turn = { turnId, number, startedAt };
    sql.exec("DELETE FROM drafts");
    this.#write({ ...this.held, turn: { ...turn, chatIds } });
    return turn;
  }

  /** Notes that no turn runs. */
  endTurn(): void {
    this.#storage.sql.exec("DELETE FROM drafts");
    this.#write({ ...this.held, turn: null });
  }

  /** What the session refers to, as it was last known. */
  get cachedContext(): TurnContext | null {
    if (!this.#state) return null;
    this.#known ??=
      this.#storage.sql.exec<{ context: string }>("SELECT context FROM cached_context").toArray()[0]?.context ?? null;
    return this.#known === null ? null : (JSON.parse(this.#known) as TurnContext);
  }

  /** Keeps what the session refers to, if that has changed. */
  cacheContext(context: TurnContext): void {
    const text = JSON.stringify(context);
    if (text === this.#known) return;
    this.#storage.sql.exec(WRITE_KNOWN, text);
    this.#known = text;
  }

  /** Keeps what a reply under way says so far. */
  saveDraft(chatId: string, content: string): void {
    this.#storage.sql.exec(SAVE_DRAFT, chatId, content);
  }

  /** What was kept of replies under way, by chat. */
  drafts(): Map<string, string> {
    const rows = this.#storage.sql.exec<{ chat_id: string; content: string }>("SELECT chat_id, content FROM drafts");
    return new Map(rows.toArray().map(({ chat_id, content }) => [chat_id, content]));
  }

  /** What a caller was told when it first sent a thing under this key, or `null`. */
  findSavedResult(caller: string, key: string): SavedResult | null {
    return this.#storage.sql.exec<SavedResult>(ACKNOWLEDGED, caller, key).toArray()[0] ?? null;
  }

  /** Remembers what a caller is told, in the transaction of what it asked for. */
  saveResult(caller: string, key: string, { fingerprint, seq, turn_id }: SavedResult, at: EpochMs): void {
    this.#storage.sql.exec(ACKNOWLEDGE, caller, key, fingerprint, seq, turn_id, at);
  }

  /** When a caller was last told something under a key that is remembered; `null` for never. */
  get lastSavedAt(): EpochMs | null {
    if (!this.#state) return null;
    return this.#storage.sql.exec<{ at: number | null }>("SELECT max(at) AS at FROM idempotency_keys").one().at;
  }

  /** Forgets what callers were told before a moment. */
  deleteSavedResults(before: EpochMs): void {
    this.#storage.sql.exec("DELETE FROM idempotency_keys WHERE at < ?", before);
  }

  /** The chats of the turn under way that have no reply yet. */
  pendingChats(): string[] {
    const { turn } = this.held;
    if (!turn) return [];
    const settled = this.#storage.sql.exec<{ chat_id: string }>(SETTLED, turn.turnId).toArray();
    return turn.chatIds.filter((chatId) => !settled.some(({ chat_id }) => chat_id === chatId));
  }

  /** Puts a changed session in the place of the one held. */
  amend(session: Session): void {
    this.#write({ ...this.held, session });
  }

  markRemoved(): void {
    this.#write({ ...this.held, removed: true });
  }

  /** Notes how far the index database has followed. Kept with the next write: carrying twice changes nothing. */
  setReplicated(replicated: ReplicationCursor): void {
    if (this.#state) this.#state = { ...this.#state, replicated };
    this.#fresh = this.#fresh.filter(({ seq }) => seq > replicated.lastSeq);
  }

  /** Leaves a message behind. */
  addDeadLetter(seq: number): void {
    this.#write({ ...this.held, deadLetters: [...this.held.deadLetters, seq] });
  }

  /** Writes the mark down, for an object that may sleep before its next write. */
  saveCursor(): void {
    this.#write(this.held);
  }

  /** Messages that the index database may not have, oldest first. */
  unreplicated(limit: number): Message[] {
    const after = this.held.replicated.lastSeq;
    return this.#fresh[0]?.seq === after + 1 ? this.#fresh.slice(0, limit) : this.messages(after, limit).items;
  }

  /** Messages after a `seq`, oldest first: so many at most, and no more than fit in a part. */
  messages(after: number, limit: number): Batch<Message> {
    return take(this.#storage.sql.exec<Row>(MESSAGES_AFTER, after), limit);
  }

  /** The same of messages that have text. */
  shown(after: number, limit: number): Batch<Message> {
    return take(this.#storage.sql.exec<Row>(SHOWN_AFTER, after), limit);
  }

  /** What a turn brought, its prompt first. */
  ofTurn(turnId: string): Message[] {
    return this.#storage.sql.exec<Row>(OF_TURN, turnId).toArray().map(fromRow);
  }

  /** The newest messages that have text, oldest first. @param upTo the last message that counts */
  conversation(newest: number, upTo = this.held.session.lastSeq): Message[] {
    return this.#storage.sql.exec<Row>(CONVERSATION, upTo, newest).toArray().map(fromRow).toReversed();
  }

  /** Every reply of a chat, oldest first. */
  replies(chatId: string): Message[] {
    return this.#storage.sql.exec<Row>(REPLIES, chatId).toArray().map(fromRow);
  }

  /** How often a chat has called its endpoint. */
  calls(chatId: string): number {
    return this.#storage.sql.exec<{ calls: number }>(CALLS, chatId).one().calls;
  }

  /** Lets go of everything. The next read finds no session here. */
  async clear(): Promise<void> {
    this.#state = null;
    this.#fresh = [];
    this.#known = null;
    await this.#storage.deleteAll();
  }

  #write(state: State): void {
    this.#storage.sql.exec(WRITE_STATE, JSON.stringify(state));
    this.#state = state;
  }

  #insert(message: Message, at: EpochMs): void {
    const { seq, chatId, turnId, role, content, createdAt, reply } = message;
    const detail = reply === null ? null : JSON.stringify(reply);
    this.#storage.sql.exec(INSERT_MESSAGE, seq, chatId, turnId, role, content, createdAt, detail, at);
  }
}
