/**
 * Joins the events of several connections to one session into one sequence without gaps and repeats. After a cut the server
 * sends again what may have been missed. What the reader has already is left out here, and what the server never sends
 * again, the start and the end of a turn, is made from the session's state. Pure.
 */
import type { StreamEvent } from "./types.ts";

type EventOf<T extends StreamEvent["type"]> = Extract<StreamEvent, { type: T }>;
type TurnEnded = EventOf<"turn-ended">;
type ReplyStatus = EventOf<"reply-end">["status"];

/** What the reader has of the last turn. */
interface KnownTurn {
  turnId: string;
  /** Whose replies it waits for; none if that is not known. */
  chatIds: string[];
  hasEnded: boolean;
  isTrimmed: boolean;
  /** How many characters of each chat's reply. */
  lengths: Map<string, number>;
  /** How the replies ended. */
  statuses: Map<string, ReplyStatus>;
}

export class JoinedEvents {
  /** Where the first connection begins; `undefined` for live events only. */
  #start: number | undefined;
  /** The last message that the reader has. */
  #lastSeq: number | null = null;
  /** The last message that was sent, new or not: a `reply-end` belongs to it. */
  #sentSeq = 0;
  #sentTurnId: string | undefined;
  /** The last message whose `reply-end` the reader has, or does not wait for. */
  #endedSeq = 0;
  /** The last message of a replay after a cut. */
  #replayEnd = 0;
  /** The `reply-end` of the last message, until it comes or something else does: replayed replies come without it. */
  #owedEnd: { seq: number; event: EventOf<"reply-end"> } | null = null;
  #turn: KnownTurn | null = null;
  /** A turn that started while nothing was connected. */
  #missedStart: EventOf<"turn-started"> | null = null;
  /** Whether the turn ended while nothing was connected. Its last messages are still to come. */
  #hasMissedEnd = false;
  /** The session as the reader knows it. */
  #session: Record<string, unknown> | null = null;
  #path = "";

  /** @param after the last message that the reader has; `undefined` for none, and no earlier ones */
  constructor(after?: number) {
    this.#start = after;
  }

  /**
   * Where the next connection goes on. It is one message back: the last one may have been cut off from what belongs to it,
   * such as its `reply-end`.
   */
  get after(): number | undefined {
    return this.#lastSeq === null ? this.#start : this.#lastSeq - 1;
  }

  /** The last turn that the reader knows of. */
  get turnId(): string | null {
    return this.#turn?.turnId ?? null;
  }

  /** Whether something is made from the session's state as soon as nothing more is replayed. */
  get isWaiting(): boolean {
    return this.#owedEnd !== null || this.#hasMissedEnd;
  }

  /** @returns what the reader does not have of an event, and of what came before it */
  join(event: StreamEvent): StreamEvent[] {
    if (event.type === "session-snapshot") return this.#joinSnapshot(event);
    const belongsToMessage = event.type === "path-changed" || event.type === "reply-end";
    const owed = belongsToMessage ? [] : this.#settleEnd();
    const missed = [...this.#missedBefore(event), ...this.#missedText(event)];
    const fresh = this.#freshOf(event);
    return [...owed, ...missed, ...(fresh ? [fresh] : []), ...this.#endIfOver()];
  }

  /**
   * To be called when nothing more is replayed.
   *
   * @param isCertain `false` if that is only a guess, because nothing has come for a moment
   * @returns the ends of a reply and of the turn, if they were missed
   */
  finishReplay(isCertain: boolean): StreamEvent[] {
    if (!isCertain && this.#sentSeq < this.#replayEnd) return [];
    return [...this.#settleEnd(), ...this.#endTurn()];
  }

  #settleEnd(): StreamEvent[] {
    const owed = this.#owedEnd;
    const end = owed && this.#freshReplyEnd(owed.event, owed.seq);
    return end ? [end, ...this.#endIfOver()] : [];
  }

  /** A turn has nothing more to come when all its replies have ended. */
  #endIfOver(): StreamEvent[] {
    const { chatIds = [], statuses } = this.#turn ?? {};
    return chatIds.length > 0 && chatIds.every((chatId) => statuses?.has(chatId)) ? this.#endTurn() : [];
  }

  #endTurn(): StreamEvent[] {
    const turn = this.#turn;
    if (!this.#hasMissedEnd || !turn) return [];
    this.#hasMissedEnd = false;
    turn.hasEnded = true;
    return [{ type: "turn-ended", turnId: turn.turnId, status: this.#statusOf(turn) }];
  }

  #joinSnapshot(event: EventOf<"session-snapshot">): StreamEvent[] {
    const { session, lastSeq, turn } = event;
    const known = this.#session;
    this.#session = session;
    if (known === null && this.#turn === null) {
      this.#start ??= lastSeq;
      this.#endedSeq = lastSeq;
      if (turn) this.#startTurn(turn.turnId, turn.chatIds);
      return [event];
    }
    this.#joinTurn(turn);
    this.#sentSeq = this.after ?? 0;
    this.#replayEnd = lastSeq;
    const isChanged = JSON.stringify(session) !== JSON.stringify(known);
    return isChanged ? [{ type: "session-updated", session }] : [];
  }

  /** @param turn the one that runs now */
  #joinTurn(turn: EventOf<"session-snapshot">["turn"]): void {
    const isSame = (turn?.turnId ?? null) === this.turnId;
    this.#hasMissedEnd = !isSame && this.#turn?.hasEnded === false;
    this.#missedStart = turn && !isSame ? { type: "turn-started", ...turn } : null;
  }

  #missedBefore(event: StreamEvent): StreamEvent[] {
    const turnId = "turnId" in event ? event.turnId : undefined;
    // A replay has messages, and what belongs to them. Anything else comes behind it.
    const isReplayed = event.type === "message-appended" || event.type === "path-changed" || event.type === "reply-end";
    const ended = isReplayed && (turnId === undefined || turnId === this.turnId) ? [] : this.#endTurn();
    const started = this.#missedStart;
    if (started === null || turnId !== started.turnId) return ended;
    this.#missedStart = null;
    this.#startTurn(started.turnId, started.chatIds);
    return [...ended, started];
  }

  /** The text of a reply that ended while nothing was connected: its message has it. */
  #missedText(event: StreamEvent): StreamEvent[] {
    const turn = this.#turn;
    if (event.type !== "message-appended" || event.status === undefined || event.seq > this.#replayEnd) return [];
    const { turnId, chatId, content } = event;
    if (!turn || turn.turnId !== turnId || chatId === null || turn.statuses.has(chatId)) return [];
    const text: StreamEvent = { type: "reply-delta", turnId, chatId, offset: 0, text: content };
    return [{ type: "reply-start" as const, turnId, chatId }, text].flatMap((one) => this.#freshOf(one) ?? []);
  }

  #startTurn(turnId: string, chatIds: string[]): void {
    this.#turn = { turnId, chatIds, hasEnded: false, isTrimmed: false, lengths: new Map(), statuses: new Map() };
  }

  #freshOf(event: StreamEvent): StreamEvent | null {
    if (event.type === "message-appended") return this.#freshMessage(event);
    if (event.type === "path-changed") return this.#freshPath(event);
    if (event.type === "reply-end") return this.#freshReplyEnd(event);
    if (event.type === "turn-started") return this.#freshStart(event);
    if (event.type === "session-updated") this.#session = event.session;
    return this.#turn ? freshOfTurn(this.#turn, event) : event;
  }

  #freshStart(event: EventOf<"turn-started">): StreamEvent | null {
    if (event.turnId === this.turnId) return null;
    this.#startTurn(event.turnId, event.chatIds);
    return event;
  }

  #freshMessage(event: EventOf<"message-appended">): StreamEvent | null {
    const { seq, chatId, turnId, status } = event;
    this.#sentSeq = seq;
    this.#sentTurnId = turnId;
    const isReply = status !== undefined && turnId !== undefined && chatId !== null;
    this.#owedEnd = isReply ? { seq, event: { type: "reply-end", turnId, chatId, status } } : null;
    if (this.#lastSeq !== null && event.seq <= this.#lastSeq) return null;
    this.#lastSeq = event.seq;
    // The events of one turn have no snapshot, and those of a turn that is left to a person no start.
    if (this.#session === null && this.#turn === null && event.turnId !== undefined) this.#startTurn(event.turnId, []);
    return event;
  }

  #freshPath(event: EventOf<"path-changed">): StreamEvent | null {
    const path = event.seqs.join();
    if (path === this.#path) return null;
    this.#path = path;
    // A replay leaves the turn out.
    const { turnId = this.#sentTurnId } = event;
    return turnId === undefined ? event : { ...event, turnId };
  }

  /** @param seq of its message, which comes right before it */
  #freshReplyEnd(event: EventOf<"reply-end">, seq = this.#sentSeq): StreamEvent | null {
    this.#owedEnd = null;
    this.#sentTurnId = undefined;
    if (seq <= this.#endedSeq) return null;
    this.#endedSeq = seq;
    if (event.turnId === this.#turn?.turnId) this.#turn.statuses.set(event.chatId, event.status);
    return event;
  }

  /** By the rule of the server. */
  #statusOf(turn: KnownTurn): TurnEnded["status"] {
    if (this.#session?.["handler"] === "human") return "human";
    const statuses = [...turn.statuses.values()];
    if (statuses.includes("ok")) return statuses.every((status) => status === "ok") ? "ok" : "partial";
    return statuses.includes("cancelled") && !statuses.includes("error") ? "cancelled" : "error";
  }
}

function freshOfTurn(turn: KnownTurn, event: StreamEvent): StreamEvent | null {
  if (!("turnId" in event) || event.turnId !== turn.turnId) return event;
  if (event.type === "reply-delta") return freshText(turn, event);
  return isNews(turn, event) ? event : null;
}

function isNews(turn: KnownTurn, event: StreamEvent): boolean {
  const { isTrimmed, hasEnded, lengths } = turn;
  if (event.type === "context-trimmed") {
    turn.isTrimmed = true;
    return !isTrimmed;
  }
  if (event.type === "turn-ended") {
    turn.hasEnded = true;
    return !hasEnded;
  }
  if (event.type !== "reply-start") return true;
  if (lengths.has(event.chatId)) return false;
  lengths.set(event.chatId, 0);
  return true;
}

function freshText({ lengths }: KnownTurn, event: EventOf<"reply-delta">): StreamEvent | null {
  const { chatId, offset, text } = event;
  const length = lengths.get(chatId) ?? 0;
  if (offset + text.length <= length) return null;
  lengths.set(chatId, offset + text.length);
  return offset < length ? { ...event, offset: length, text: text.slice(length - offset) } : event;
}
