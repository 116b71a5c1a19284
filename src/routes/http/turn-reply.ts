/** The reply of a turn, from the events of its session. Effects: reads and cancels the stream. */
import { rootCause } from "../../core/failure.ts";
import { replyFailure } from "../../core/reply.ts";
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";
import { endOfReply } from "./open-reply.ts";
import type { EndOfReply, FinalEvent, OpenReply, ReplyPortion } from "./open-reply.ts";
import { EventReader } from "./read-events.ts";

/** The fields of a turn's events that are read here. */
interface TurnEvent {
  type: string;
  turnId: string;
  text: string;
  status: string;
  finishReason?: ReplyEnd["finishReason"];
  usage?: ReplyEnd["usage"];
  durationMs?: number | null;
  ttftMs?: number | null;
  error?: Pick<ReplyFailure, "code" | "message">;
  /** Of a turn that has ended. An object of an earlier release sends none. */
  retryAfterSeconds?: number;
  /** Of a session's state. */
  turn?: { turnId: string } | null;
  /** Why a session's events end: as a socket would close with. */
  code?: number;
}

/** Finds out why the events of a turn broke off. @returns `null` for a turn that is not there */
type FindEnd = (turnId: string) => Promise<FinalEvent | null>;

/**
 * Reads no faster than its reader does: the session's object waits for nobody, and lets a reader go that is too slow. Then the
 * events break off, as they do when the object stops.
 */
export class TurnReply implements OpenReply {
  readonly #events: EventReader;
  readonly #leaving: AbortSignal;
  readonly #endsWithTurn: boolean;
  readonly #findEnd: FindEnd;
  #turnId: string | null;
  #text = "";
  #end: EndOfReply | null = null;
  #failure: ReplyFailure | null = null;
  #final: FinalEvent | null = null;
  #isStopped = false;

  /**
   * @param events of a turn, or of a session
   * @param leaving aborts when the caller leaves: then events that break off are no fault
   * @param turnId `null` for the turn that the first event names: of a session's events, the one that runs
   * @param endsWithTurn whether the events are of the turn only. Those of a session go on
   */
  constructor(
    events: ReadableStream<Uint8Array>,
    leaving: AbortSignal,
    findEnd: FindEnd,
    { turnId = null, endsWithTurn = false }: { turnId?: string | null | undefined; endsWithTurn?: boolean } = {},
  ) {
    this.#events = new EventReader(events);
    this.#leaving = leaving;
    this.#findEnd = findEnd;
    this.#turnId = turnId;
    this.#endsWithTurn = endsWithTurn;
  }

  /** Waits until the turn is known. @returns its id; empty if there is none */
  async begin(): Promise<string> {
    while (this.#turnId === null && this.#final === null) await this.#read();
    return this.#turnId ?? "";
  }

  async next(): Promise<ReplyPortion | null> {
    while (this.#text === "" && this.#final === null) if ((await this.#read()) === "heartbeat") return null;
    const portion = { text: this.#text, final: this.#final };
    this.#text = "";
    return portion;
  }

  stop(): void {
    this.#isStopped = true;
    this.#events.cancel();
  }

  async #read(): Promise<"events" | "heartbeat"> {
    const events = await this.#events.next().catch((error: unknown) => this.#logFault(error));
    for (const event of events ?? []) this.#take(event as TurnEvent);
    if (events === null) this.#finish(await this.#endOfBrokenOff());
    return events?.length === 0 ? "heartbeat" : "events";
  }

  async #endOfBrokenOff(): Promise<FinalEvent> {
    if (this.#turnId === null || this.#isStopped || this.#leaving.aborted) return INTERRUPTED;
    const found = await this.#findEnd(this.#turnId).catch((error: unknown) => this.#logFault(error));
    return found ?? INTERRUPTED;
  }

  #logFault(error: unknown): null {
    if (!this.#leaving.aborted) console.error({ event: "turn-not-read", error: rootCause(error) });
    return null;
  }

  #take(event: TurnEvent): void {
    if (isEndOfToken(event)) return this.#finish({ type: "token-ended" });
    this.#turnId ??= turnIn(event);
    if (event.turnId !== this.#turnId) return;
    const { type } = event;
    if (type === "reply-delta") this.#text += event.text;
    if (type === "message-appended") this.#end = endIn(event) ?? this.#end;
    if (type === "reply-end") this.#failure = failureIn(event);
    // It comes with the end of the reply, and only it says that a person has taken over.
    if (type === "turn-ended") this.#finish(this.#endOfTurn(event));
  }

  #endOfTurn({ status, retryAfterSeconds }: TurnEvent): FinalEvent | null {
    if (this.#failure) return { ...this.#failure, retryAfterSeconds: retryAfterSeconds ?? null };
    if (status !== "human") return this.#end;
    return this.#end ? { ...this.#end, isTakenOver: true } : { type: "human" };
  }

  #finish(final: FinalEvent | null): void {
    if (final === null || this.#final !== null) return;
    this.#final = final;
    // Of events that end, the end is read: to cancel them would be one more call to the session's object.
    if (this.#endsWithTurn) void this.#events.next().catch(() => null);
    else this.stop();
  }
}

const INTERRUPTED = replyFailure("interrupted", "The reply was interrupted.");

/** Whether the events end because the token of their reader was revoked, or has expired. */
const isEndOfToken = ({ type, code }: TurnEvent): boolean => type === "stream-closed" && code === 4401;

const turnIn = ({ type, turnId, turn }: TurnEvent): string =>
  type === "session-snapshot" ? (turn?.turnId ?? "") : turnId;

const endIn = ({ finishReason, usage = null, durationMs = null, ttftMs = null }: TurnEvent): EndOfReply | null =>
  finishReason ? endOfReply({ finishReason, usage, durationMs, ttftMs }) : null;

const failureIn = ({ status, error }: TurnEvent): ReplyFailure | null =>
  status === "error" && error ? replyFailure(error.code, error.message) : null;
