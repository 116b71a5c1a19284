import type { Message, NewMessage } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import type { Batch } from "../../core/page.ts";
import type { Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import type { RunningTurn, Turn } from "../../core/turn.ts";
import { SCHEMA_STEPS, isEmpty, migrate } from "./schema.ts";
import * as statements from "./statements.ts";
import { fromRow, readBatch } from "./message-rows.ts";
import type { MessageRow } from "./message-rows.ts";
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
type Totals = Record<"last_seq" | "messages" | "appended_at", number>;

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

/** How many messages are kept at hand, at least. */
const RECENT_MESSAGES = 100;

const addTotals = (session: Session, { last_seq, appended_at, messages }: Totals): Session => ({
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
  #recent: Message[] = [];
  #contextJson: string | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#state = this.#load();
  }

  #load(): State | null {
    const { sql } = this.#storage;
    if (isEmpty(sql)) return null;
    migrate(sql, SCHEMA_STEPS);
    const row = this.#storage.sql.exec<{ state: string }>(statements.READ_STATE).toArray()[0];
    if (!row) return null;
    const state = JSON.parse(row.state) as State;
    const { session } = state;
    const totals = this.#storage.sql
      .exec<Totals | Record<keyof Totals, null>>(statements.TOTALS_AFTER, session.lastSeq)
      .one();
    return totals.last_seq === null ? state : { ...state, session: addTotals(session, totals) };
  }

  /** What the object holds, or `null` while it holds no session. */
  get state(): Readonly<State> | null {
    return this.#state;
  }

  /** What the object holds. @throws when it holds nothing */
  get loadedState(): Readonly<State> {
    if (!this.#state) throw new Error("The object holds no session");
    return this.#state;
  }

  /** Takes a session in, as the index database has it. */
  load(session: Session, messages: Message[], context: TurnContext): void {
    migrate(this.#storage.sql, SCHEMA_STEPS);
    this.cacheContext(context);
    for (const message of messages) this.#insert(message, session.updatedAt);
    for (const { turnId, turnNumber, createdAt } of messages) {
      if (turnId !== null && turnNumber !== null)
        this.#storage.sql.exec(statements.INSERT_LOADED_TURN, turnId, turnNumber, createdAt);
    }
    const { lastSeq, metadataVersion } = session;
    this.#write({ session, replicated: { lastSeq, metadataVersion }, turn: null, deadLetters: [], removed: false });
  }

  /** Appends messages. One row written for each. */
  append(newMessages: NewMessage[], at: EpochMs): Message[] {
    const state = this.loadedState;
    const messages = newMessages.map((message, index) => ({ ...message, seq: state.session.lastSeq + 1 + index }));
    for (const message of messages) this.#insert(message, at);
    this.#recent = this.#recent.length < RECENT_MESSAGES ? [...this.#recent, ...messages] : messages;
    const lastSeq = state.session.lastSeq + messages.length;
    const messageCount = state.session.messageCount + messages.filter(hasText).length;
    this.#state = { ...state, session: { ...state.session, lastSeq, messageCount, updatedAt: at } };
    return messages;
  }

  /** Gives a turn its number and notes that it runs. One row written. */
  startTurn(turnId: string, chatIds: string[], startedAt: EpochMs): Turn {
    const { sql } = this.#storage;
    const { number } = sql.exec<{ number: number }>(statements.INSERT_TURN, turnId, startedAt).one();
    const turn = { turnId, number, startedAt };
    sql.exec(statements.DELETE_DRAFTS);
    this.#write({ ...this.loadedState, turn: { ...turn, chatIds } });
    return turn;
  }

  /** Notes that no turn runs. */
  endTurn(): void {
    this.#storage.sql.exec(statements.DELETE_DRAFTS);
    this.#write({ ...this.loadedState, turn: null });
  }

  /** What the session refers to, as it was last known. */
  get cachedContext(): TurnContext | null {
    if (!this.#state) return null;
    this.#contextJson ??=
      this.#storage.sql.exec<{ context: string }>(statements.READ_CONTEXT).toArray()[0]?.context ?? null;
    return this.#contextJson === null ? null : (JSON.parse(this.#contextJson) as TurnContext);
  }

  /** Keeps what the session refers to, if that has changed. */
  cacheContext(context: TurnContext): void {
    const text = JSON.stringify(context);
    if (text === this.#contextJson) return;
    this.#storage.sql.exec(statements.WRITE_CONTEXT, text);
    this.#contextJson = text;
  }

  /** Keeps what a reply under way says so far. */
  saveDraft(chatId: string, content: string): void {
    this.#storage.sql.exec(statements.SAVE_DRAFT, chatId, content);
  }

  /** What was kept of replies under way, by chat. */
  drafts(): Map<string, string> {
    const rows = this.#storage.sql.exec<{ chat_id: string; content: string }>(statements.READ_DRAFTS);
    return new Map(rows.toArray().map(({ chat_id, content }) => [chat_id, content]));
  }

  /** What a caller was told when it first sent a thing under this key, or `null`. */
  findSavedResult(caller: string, key: string): SavedResult | null {
    return this.#storage.sql.exec<SavedResult>(statements.FIND_RESULT, caller, key).toArray()[0] ?? null;
  }

  /** Remembers what a caller is told, in the transaction of what it asked for. */
  saveResult(caller: string, key: string, { fingerprint, seq, turn_id }: SavedResult, at: EpochMs): void {
    this.#storage.sql.exec(statements.SAVE_RESULT, caller, key, fingerprint, seq, turn_id, at);
  }

  /** When a caller was last told something under a key that is remembered; `null` for never. */
  get lastSavedAt(): EpochMs | null {
    if (!this.#state) return null;
    return this.#storage.sql.exec<{ at: number | null }>(statements.LAST_RESULT_TIME).one().at;
  }

  /** Forgets what callers were told before a moment. */
  deleteSavedResults(before: EpochMs): void {
    this.#storage.sql.exec(statements.DELETE_RESULTS, before);
  }

  /** The chats of the turn under way that have no reply yet. */
  pendingChats(): string[] {
    const { turn } = this.loadedState;
    if (!turn) return [];
    const withReply = this.#storage.sql.exec<{ chat_id: string }>(statements.CHATS_WITH_REPLY, turn.turnId).toArray();
    return turn.chatIds.filter((chatId) => !withReply.some(({ chat_id }) => chat_id === chatId));
  }

  /** Puts a changed session in the place of the one held. */
  replaceSession(session: Session): void {
    this.#write({ ...this.loadedState, session });
  }

  markRemoved(): void {
    this.#write({ ...this.loadedState, removed: true });
  }

  /** Notes how far the index database has followed. Kept with the next write: carrying twice changes nothing. */
  setReplicated(replicated: ReplicationCursor): void {
    if (this.#state) this.#state = { ...this.#state, replicated };
    this.#recent = this.#recent.filter(({ seq }) => seq > replicated.lastSeq);
  }

  /** Leaves a message behind. */
  addDeadLetter(seq: number): void {
    this.#write({ ...this.loadedState, deadLetters: [...this.loadedState.deadLetters, seq] });
  }

  /** Writes the mark down, for an object that may sleep before its next write. */
  saveCursor(): void {
    this.#write(this.loadedState);
  }

  /** Messages that the index database may not have, oldest first. */
  unreplicated(limit: number): Message[] {
    const after = this.loadedState.replicated.lastSeq;
    return this.#recent[0]?.seq === after + 1 ? this.#recent.slice(0, limit) : this.messages(after, limit).items;
  }

  /** Messages after a `seq`, oldest first: so many at most, and no more than fit in a part. */
  messages(after: number, limit: number): Batch<Message> {
    return readBatch(this.#storage.sql.exec<MessageRow>(statements.MESSAGES_AFTER, after), limit);
  }

  /** The same of messages that have text. */
  shownMessages(after: number, limit: number): Batch<Message> {
    return readBatch(this.#storage.sql.exec<MessageRow>(statements.SHOWN_MESSAGES_AFTER, after), limit);
  }

  /** What a turn brought, its prompt first. */
  messagesOfTurn(turnId: string): Message[] {
    return this.#storage.sql.exec<MessageRow>(statements.MESSAGES_OF_TURN, turnId).toArray().map(fromRow);
  }

  /** The newest messages that have text, oldest first. @param upTo the last message that counts */
  conversation(newest: number, upTo = this.loadedState.session.lastSeq): Message[] {
    return this.#storage.sql
      .exec<MessageRow>(statements.CONVERSATION, upTo, newest)
      .toArray()
      .map(fromRow)
      .toReversed();
  }

  /** Every reply of a chat, oldest first. */
  replies(chatId: string): Message[] {
    return this.#storage.sql.exec<MessageRow>(statements.REPLIES, chatId).toArray().map(fromRow);
  }

  /** How often a chat has called its endpoint. */
  countCalls(chatId: string): number {
    return this.#storage.sql.exec<{ calls: number }>(statements.COUNT_CALLS, chatId).one().calls;
  }

  /** Lets go of everything. The next read finds no session here. */
  async clear(): Promise<void> {
    this.#state = null;
    this.#recent = [];
    this.#contextJson = null;
    await this.#storage.deleteAll();
  }

  #write(state: State): void {
    this.#storage.sql.exec(statements.WRITE_STATE, JSON.stringify(state));
    this.#state = state;
  }

  #insert(message: Message, at: EpochMs): void {
    const { seq, chatId, turnId, role, content, createdAt, reply } = message;
    const detail = reply === null ? null : JSON.stringify(reply);
    this.#storage.sql.exec(statements.INSERT_MESSAGE, seq, chatId, turnId, role, content, createdAt, detail, at);
  }
}
