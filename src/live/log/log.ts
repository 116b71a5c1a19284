/**
 * The log and the state of one session, in the SQLite of its Durable Object. Every method is synchronous, so everything
 * between two awaits is one transaction. An object without a session has no tables, because empty storage costs
 * nothing.
 *
 * This folder is the object's storage: `schema.ts` has the tables, `state.ts` the state, `statements.ts` the SQL, `message-rows.ts` the
 * conversion of rows, `idempotency.ts` the saved results of calls. Rules of a session do not belong here. Effects:
 * storage.
 */
import { Buffer } from "node:buffer";
import type { ContextFacts } from "../../core/context.ts";
import { factsAfter } from "../../core/context.ts";
import type { Message, NewMessage } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { lengthOfPath } from "../../core/message-tree.ts";
import type { PathRange } from "../../core/message-tree.ts";
import { MAX_BATCH_CHARACTERS } from "../../core/page.ts";
import { MAX_SHOWN_MESSAGES, windowStart } from "../../core/shown-window.ts";
import type { ShownAs } from "../../core/shown-window.ts";
import { CHANGEABLE_FIELDS, changedFields } from "../../core/session.ts";
import type { ChangeableField, Session } from "../../core/session.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Turn, TurnSettings } from "../../core/turn.ts";
import { Conversation } from "./conversation.ts";
import type { ReplicationCursor, State } from "./state.ts";
import { ChatPrompts } from "./chat-prompts.ts";
import { fromDraftRow, toDraftRow } from "./draft-row.ts";
import { CREATE_FORKS_INDEX, SCHEMA_STEPS, createTables, isEmpty, migrate } from "./schema.ts";
import * as statements from "./statements.ts";
import { addTotals, charactersOf, fromRow, readBatch } from "./message-rows.ts";
import type { MessageRow, RowBatch, Totals } from "./message-rows.ts";
import { toMessageSizes } from "../../store/message-sizes.ts";
import type { MessageSizeRow } from "../../store/message-sizes.ts";
import type { TurnContext } from "../../store/turn-context.ts";
import { MessagePlaces } from "./message-places.ts";
import { SavedResults } from "./saved-results.ts";

/** How many recent messages are cached at most, if an append does not add more. */
const RECENT_MESSAGES = 100;

/** Reads and writes the log. Create one per object. */
export class Log {
  readonly results: SavedResults;
  readonly chats: ChatPrompts;
  /** Where messages are in the tree. */
  readonly places: MessagePlaces;
  readonly conversation: Conversation;
  readonly #storage: DurableObjectStorage;
  #state: State | null;
  /** Recent messages, cached because replication reads them next. */
  #recent: Message[] = [];
  #contextJson: string | null = null;
  /** Of the messages of a session that is being loaded. */
  #loadedFacts: ContextFacts = {};

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#state = this.#load();
    this.results = new SavedResults(storage);
    this.chats = new ChatPrompts(storage);
    const session = () => this.loadedState.session;
    this.places = new MessagePlaces(storage, session);
    this.conversation = new Conversation(storage, this.places, session);
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
    if (totals.last_seq === null) return state;
    return { ...state, session: addTotals(session, totals), bytes: state.bytes + totals.bytes };
  }

  /** The state; `null` while no session is loaded. */
  get state(): Readonly<State> | null {
    return this.#state;
  }

  /** The state of a loaded session. @throws if no session is loaded */
  get loadedState(): Readonly<State> {
    if (!this.#state) throw new Error("No session is loaded");
    return this.#state;
  }

  /** Begins to load a session. No session is loaded before {@link finishLoad}. */
  beginLoad(): void {
    const { sql } = this.#storage;
    this.#loadedFacts = {};
    if (isEmpty(sql)) return createTables(sql);
    migrate(sql, SCHEMA_STEPS);
    // Left by an object that stopped while it was loading.
    sql.exec(statements.DELETE_MESSAGES);
    sql.exec(statements.DELETE_TURNS);
  }

  /** Adds messages of the session that is being loaded. @returns their size in bytes */
  loadMessages(messages: Message[], at: EpochMs): number {
    for (const { turnId, turnNumber, createdAt } of messages) {
      if (turnId !== null && turnNumber !== null)
        this.#storage.sql.exec(statements.INSERT_LOADED_TURN, turnId, turnNumber, createdAt);
    }
    this.#loadedFacts = factsAfter(this.#loadedFacts, messages);
    return this.#insert(messages, at);
  }

  /** Completes the load of a session. @param bytes the size of its messages */
  finishLoad(session: Session, bytes: number, context: TurnContext): void {
    this.cacheContext(context);
    if (session.activePath) this.#storage.sql.exec(CREATE_FORKS_INDEX);
    const { lastSeq, metadataVersion } = session;
    const replicated = { lastSeq, metadataVersion };
    const unsaved = { turn: null, deadLetters: [], changedFields: [], contextFacts: this.#loadedFacts };
    this.#write({ session, bytes, replicated, ...unsaved, removed: false });
  }

  /** Appends messages. Writes one row each, and the state if the active path is not simply longer. */
  append(newMessages: NewMessage[], at: EpochMs): Message[] {
    const state = this.loadedState;
    const { session } = state;
    const { messages, activePath } = this.places.place(newMessages);
    const bytes = state.bytes + this.#insert(messages, at);
    this.#cacheRecent(messages);
    const lastSeq = session.lastSeq + messages.length;
    const messageCount = session.messageCount + messages.filter(hasText).length;
    const contextFacts = factsAfter(this.contextFacts, messages);
    const longer = { ...session, lastSeq, messageCount, updatedAt: at };
    this.#state = { ...state, bytes, contextFacts, session: longer };
    if (activePath !== null && activePath !== session.activePath) this.setActivePath(activePath);
    return messages;
  }

  /** Sets the active path. Writes one row, and once the index of the tree. */
  setActivePath(activePath: PathRange[], at = this.loadedState.session.updatedAt): void {
    const { session } = this.loadedState;
    if (!session.activePath) this.#storage.sql.exec(CREATE_FORKS_INDEX);
    const messageCount = lengthOfPath(activePath, session.lastSeq);
    const metadataVersion = session.metadataVersion + 1;
    this.replaceSession({ ...session, activePath, messageCount, metadataVersion, updatedAt: at });
  }

  /** Caches recent messages, as many as replication takes at once. It reads the others from the log. */
  #cacheRecent(messages: Message[]): void {
    const recent = this.#recent.length < RECENT_MESSAGES ? [...this.#recent, ...messages] : messages;
    this.#recent = charactersOf(recent) <= MAX_BATCH_CHARACTERS ? recent : [];
  }

  /** Records that a turn has started, and returns it with its number. Writes one row. */
  startTurn(turnId: string, settings: TurnSettings, startedAt: EpochMs): Turn {
    const { sql } = this.#storage;
    const { number } = sql.exec<{ number: number }>(statements.INSERT_TURN, turnId, startedAt).one();
    const turn = { turnId, number, startedAt };
    sql.exec(statements.DELETE_DRAFTS);
    for (const { caller, key, at, ...result } of this.results.waiting.take(turnId))
      this.results.save(caller, key, result, at);
    this.#write({ ...this.loadedState, turn: { ...turn, ...settings } });
    return turn;
  }

  /** Whether a turn has ever started. */
  hasTurn(turnId: string): boolean {
    return this.#storage.sql.exec(statements.HAS_TURN, turnId).toArray().length > 0;
  }

  /** Records that no turn runs. */
  endTurn(): void {
    this.#storage.sql.exec(statements.DELETE_DRAFTS);
    this.#write({ ...this.loadedState, turn: null });
  }

  /** The records that the session refers to, as last read from D1. */
  get cachedContext(): TurnContext | null {
    if (!this.#state) return null;
    this.#contextJson ??=
      this.#storage.sql.exec<{ context: string }>(statements.READ_CONTEXT).toArray()[0]?.context ?? null;
    return this.#contextJson === null ? null : (JSON.parse(this.#contextJson) as TurnContext);
  }

  /** Caches the records that the session refers to; `null` for none. Writes only if they have changed. */
  cacheContext(context: TurnContext | null): void {
    const text = JSON.stringify(context);
    if (text === this.#contextJson) return;
    this.#storage.sql.exec(statements.WRITE_CONTEXT, text);
    this.#contextJson = text;
  }

  /** Saves the texts so far of the running replies, by chat. Writes one row. */
  saveDrafts(texts: ReadonlyMap<string, string>): void {
    this.#storage.sql.exec(statements.SAVE_DRAFTS, toDraftRow(texts));
  }

  /** Saved texts of running replies, by chat. */
  drafts(): Map<string, string> {
    const [row] = this.#storage.sql.exec<{ texts: string }>(statements.READ_DRAFTS).toArray();
    return row ? fromDraftRow(row.texts) : new Map();
  }

  /** The chats of the running turn that have no reply yet. */
  pendingChats(): string[] {
    const { turn } = this.loadedState;
    if (!turn) return [];
    const withReply = this.#storage.sql.exec<{ chat_id: string }>(statements.CHATS_WITH_REPLY, turn.turnId).toArray();
    return turn.chatIds.filter((chatId) => !withReply.some(({ chat_id }) => chat_id === chatId));
  }

  /** Replaces the session with a changed one. */
  replaceSession(session: Session): void {
    const state = this.loadedState;
    const fields = new Set([...this.changedFields, ...changedFields(state.session, session)]);
    this.#write({ ...state, session, changedFields: [...fields] });
  }

  /** The fields of the session that D1 may not have, apart from those that follow from the messages. */
  get changedFields(): readonly ChangeableField[] {
    return this.loadedState.changedFields ?? CHANGEABLE_FIELDS;
  }

  /** Sets how far a replay of the recorded conversation goes on; `null` for no replay. Writes one row. */
  setReplay(replay: State["replay"] | null): void {
    this.#write({ ...this.loadedState, replay: replay ?? undefined });
  }

  markRemoved(): void {
    this.#write({ ...this.loadedState, removed: true });
  }

  /** Sets which changes D1 has. In memory only, until the next write: to replicate a message twice has no effect. */
  setReplicated(replicated: ReplicationCursor): void {
    if (this.#state) {
      const hasAll = replicated.metadataVersion === this.#state.session.metadataVersion;
      this.#state = { ...this.#state, replicated, ...(hasAll ? { changedFields: [] } : {}) };
    }
    this.#recent = this.#recent.filter(({ seq }) => seq > replicated.lastSeq);
  }

  /** Records that D1 rejects a message. */
  addDeadLetter(seq: number): void {
    this.#write({ ...this.loadedState, deadLetters: [...this.loadedState.deadLetters, seq] });
  }

  /** Writes the replication cursor, because the object can hibernate before its next write. */
  saveCursor(): void {
    this.#write(this.loadedState);
  }

  /** Messages that D1 may not have, oldest first. */
  unreplicated(limit: number): Message[] {
    const after = this.loadedState.replicated.lastSeq;
    return this.#recent[0]?.seq === after + 1 ? this.#recent.slice(0, limit) : this.messages(after, limit).items;
  }

  /** Messages after a `seq`, oldest first: at most `limit`, and no more than fit into a batch. */
  messages(after: number, limit: number, form: statements.LogForm = "whole"): RowBatch {
    return readBatch(this.#rows(statements.MESSAGES_AFTER[form], after), limit);
  }

  /** The message with a `seq`. */
  message(seq: number): Message | undefined {
    const [message] = this.messages(seq - 1, 1).items;
    return message?.seq === seq ? message : undefined;
  }

  /** Like {@link messages}, but only messages of the active path, short. */
  shownMessages(after: number, limit: number): RowBatch {
    const { activePath } = this.loadedState.session;
    const rows = activePath
      ? this.#rows(statements.MESSAGES_ON_PATH_AFTER, after, JSON.stringify(activePath))
      : this.#rows(statements.SHOWN_MESSAGES_AFTER, after);
    return readBatch(rows, limit);
  }

  /** Like {@link messages}, but only prompts to all chats, and messages of one chat. */
  messagesOfChat(chatId: string, after: number, limit: number): RowBatch {
    return readBatch(this.#rows(statements.MESSAGES_OF_CHAT_AFTER, after, chatId), limit);
  }

  /** Like {@link messages}, but only messages of turns. */
  messagesOfTurns(after: number, limit: number): RowBatch {
    return readBatch(this.#rows(statements.MESSAGES_OF_TURNS_AFTER, after), limit);
  }

  /** The `seq` of the last message that an answer leaves out; 0 if it shows all. @param upTo the last message to show */
  windowStart(upTo: number, shownAs: ShownAs): number {
    if (upTo <= MAX_SHOWN_MESSAGES && this.loadedState.bytes <= MAX_BATCH_CHARACTERS) return 0;
    const { activePath } = this.loadedState.session;
    const rows = activePath
      ? this.#storage.sql.exec<MessageSizeRow>(statements.NEWEST_SIZES_ON_PATH, upTo, JSON.stringify(activePath))
      : this.#storage.sql.exec<MessageSizeRow>(statements.NEWEST_SIZES[shownAs], upTo);
    return windowStart(toMessageSizes(rows), shownAs);
  }

  /** The messages of a turn, its prompt first. */
  messagesOfTurn(turnId: string): Message[] {
    return Array.from(this.#rows(statements.MESSAGES_OF_TURN, turnId), fromRow);
  }

  #rows(statement: string, ...parameters: (number | string)[]): Iterable<MessageRow> {
    return this.#storage.sql.exec(statement, ...parameters).raw<MessageRow>();
  }

  /** What is known from the replies so far. */
  get contextFacts(): ContextFacts {
    return this.loadedState.contextFacts ?? {};
  }

  /** Deletes everything. Afterwards no session is loaded. */
  async clear(): Promise<void> {
    this.#state = null;
    this.#recent = [];
    this.#contextJson = null;
    this.places.forget();
    await this.#storage.deleteAll();
  }

  #write(state: State): void {
    this.#storage.sql.exec(statements.WRITE_STATE, JSON.stringify(state));
    this.#state = state;
  }

  /** @returns the size of the messages in bytes */
  #insert(messages: Message[], at: EpochMs): number {
    let bytes = 0;
    for (const { seq, chatId, turnId, role, content, createdAt, reply, author, parentSeq } of messages) {
      const detail = reply === null ? null : JSON.stringify(reply);
      const by = author ? JSON.stringify(author) : null;
      const values = [seq, chatId, turnId, role, content, createdAt, detail, by, parentSeq ?? null, at];
      this.#storage.sql.exec(statements.INSERT_MESSAGE, ...values);
      bytes += Buffer.byteLength(content) + (detail === null ? 0 : Buffer.byteLength(detail));
    }
    return bytes;
  }
}
