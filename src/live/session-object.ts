import { DurableObject } from "cloudflare:workers";
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import { newObjectId } from "../core/id.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { Session, SessionChanges } from "../core/session.ts";
import { amendSession, endSession, hasEnded, startIfDue } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import { now } from "../core/time.ts";
import type { Database } from "../store/database.ts";
import { database } from "../store/database.ts";
import { readLog } from "../store/messages.ts";
import { carrySession, deleteSession, findSession } from "../store/sessions.ts";
import { fanOut } from "../turn/fan-out.ts";
import type { Reply } from "../turn/fan-out.ts";
import { askEndpoints } from "./ask-endpoints.ts";
import { Log } from "./log.ts";
import { Mirror } from "./mirror.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { planTurn } from "./plan-turn.ts";
import { interruptedReplies, promptMessage, replyMessage } from "./turn-messages.ts";

/** How long an answer waits for the index database to follow, in milliseconds. */
const PATIENCE_MS = 250;

/** How long a reply that has ended waits for others, to be written with them, in milliseconds. A commit costs as much as a call. */
const TOGETHER_MS = 10;

/** How many turns may wait behind the one that runs. */
const WAITING_TURNS = 16;

/** When to come again once the queue is full, in seconds. */
const QUEUE_RETRY_SECONDS = 5;

/** When a removal that was cut short is taken up again, in milliseconds. */
const REMOVAL_RETRY_MS = 10_000;

/** A session and messages of it: the whole log, or only those that a call has added. */
export interface Snapshot {
  session: Session;
  messages: Message[];
}

export interface TurnTaken extends Snapshot {
  /** The longest that a provider asked callers to stay away. */
  retryAfterSeconds: number | null;
}

/** A message as a caller gives it: with a time of its own, or `null` for now. */
type Given = Pick<NewMessage, "role" | "content"> & { createdAt: EpochMs | null };

/** Which messages an answer is to hold. */
export type History = "whole" | "added";

/**
 * A session while someone is talking, and its one pen: whatever changes a session, its log or its status after creation
 * goes through here. A thin shell: rules are in `core`, what a turn does is in `turn`.
 */
export class SessionObject extends DurableObject<Env> {
  readonly #db: Database = database(this.env.DB);
  readonly #log = new Log(this.ctx.storage);
  readonly #turns = new OneAtATime();
  /** Changes of anything but the log, one at a time: some of them have to ask the index database first. */
  readonly #amendments = new OneAtATime();
  readonly #mirror = new Mirror(this.#log, {
    carry: (session, messages, whole) => carrySession(this.#db, session, messages, whole),
    setAlarm: (at) => this.#setAlarm(at),
    clock: now,
    caughtUp: async () => {
      const state = this.#log.state;
      if (state && hasEnded(state.session)) await this.#log.clear();
    },
  });
  #takingIn: Promise<Session | null> | null = null;
  #runningTurn: AbortController | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#closeBrokenTurn();
  }

  /** The session and its log, or `null` when the index database has all there is to know. */
  async read(): Promise<Snapshot | null> {
    const state = this.#log.state;
    if (!state || state.removed) return null;
    return { session: this.#startIfDue(state.session), messages: this.#log.messages() };
  }

  /** Appends a message. Durable when it returns; refused unless the session is `ACTIVE`. */
  async append(given: Given, history: History): Promise<Outcome<Snapshot>> {
    const active = await this.#active();
    if (!active.ok) return active;
    const { role, content } = given;
    const chatId = active.value.chats[0]?.chatId ?? null;
    const createdAt = given.createdAt ?? now();
    const message = { chatId, turnId: null, role, content, createdAt, reply: null };
    const added = this.#append([message]);
    return this.#answer(added, history);
  }

  /** Puts a prompt to every chat and waits for the replies. A reply that failed is in the log like any other. */
  async prompt(content: string, history: History): Promise<Outcome<TurnTaken>> {
    const active = await this.#active();
    if (!active.ok) return active;
    if (this.#turns.waiting >= WAITING_TURNS) {
      return failed({ reason: "turn-queue-full", retryAfterSeconds: QUEUE_RETRY_SECONDS });
    }
    const turn = this.#turns.enter(() => this.#takeTurn(content, history));
    // The caller may go away; the turn goes on.
    this.ctx.waitUntil(turn);
    const taken = await turn;
    if (taken.ok) await this.#mirror.settled(PATIENCE_MS);
    return taken;
  }

  /** Changes what is given of a session. An ended status first stops the turn under way. */
  async amend(changes: SessionChanges, history: History): Promise<Outcome<Snapshot>> {
    const change = (session: Session) => amendSession(session, changes, now());
    const ends = changes.status !== undefined && hasEnded({ status: changes.status });
    return ends ? this.#afterTurn(() => this.#change(change, history)) : this.#change(change, history);
  }

  /** Ends an `ACTIVE` session, first stopping the turn under way. */
  async end(history: History): Promise<Outcome<Snapshot>> {
    return this.#afterTurn(() => this.#change((session) => endSession(session, now()), history));
  }

  /** Removes the session, its log and this object's storage. Denied to everyone first, so that nothing slips in. */
  async remove(): Promise<Outcome<null>> {
    return this.#afterTurn(() =>
      this.#amendments.enter(async () => {
        const session = await this.#takeIn();
        if (!session) return notFound("session");
        if (this.#log.state) this.#log.deny();
        await this.#finishRemoval(session.id);
        return success(null);
      }),
    );
  }

  /** Takes a `SCHEDULED` session in, to start it when its time comes. */
  async schedule(): Promise<void> {
    await this.#takeIn();
    this.#awaitStart();
  }

  /** Carries to the index database what it may not have yet. */
  async catchUp(): Promise<void> {
    if (this.#log.state) await this.#mirror.retry();
  }

  override async alarm(): Promise<void> {
    const state = this.#log.state;
    if (!state) return;
    if (state.removed) return this.#finishRemoval(state.session.id);
    this.#startIfDue(state.session);
    await this.#mirror.retry();
    this.#awaitStart();
  }

  async #takeTurn(content: string, history: History): Promise<Outcome<TurnTaken>> {
    const stop = new AbortController();
    this.#runningTurn = stop;
    try {
      const active = await this.#active();
      if (!active.ok) return active;
      const session = active.value;
      const plan = await planTurn(this.#db, this.#log, session, content);
      if (!plan.ok) return plan;
      if (stop.signal.aborted) return failed({ reason: "session-not-active" });
      const turnId = newObjectId(now());
      this.#log.noteTurn({ turnId, chatIds: session.chats.map(({ chatId }) => chatId) });
      const added = this.#append([promptMessage(session, turnId, content, now())]);
      const settled: Reply[] = [];
      const write = () => added.push(...this.#append(settled.splice(0).map((r) => replyMessage(turnId, r, now()))));
      const replies = await fanOut(plan.value, {
        ask: askEndpoints,
        clock: now,
        signal: stop.signal,
        settled: (reply) => {
          if (settled.push(reply) === 1) setTimeout(write, TOGETHER_MS);
        },
      });
      write();
      this.#log.noteTurn(null);
      this.#mirror.start();
      return success({ ...this.#snapshot(added, history), retryAfterSeconds: longestWait(replies) });
    } finally {
      this.#runningTurn = null;
    }
  }

  async #finishRemoval(id: string): Promise<void> {
    // Whatever comes between, the alarm takes the rest away.
    if (this.#log.state) await this.ctx.storage.setAlarm(now() + REMOVAL_RETRY_MS);
    await deleteSession(this.#db, id);
    await this.#log.clear();
  }

  #closeBrokenTurn(): void {
    const state = this.#log.state;
    if (!state?.turn) return;
    this.#append(interruptedReplies(state.session, state.turn.turnId, this.#log.awaitedChats(), now()));
    this.#log.noteTurn(null);
    this.#mirror.start();
  }

  #append(messages: NewMessage[]): Message[] {
    if (messages.length === 0) return [];
    const added = this.#log.append(messages, now());
    const turnId = this.#log.state?.turn?.turnId ?? null;
    // What a turn brings is carried together when the turn is over.
    if (turnId !== null && messages.every((message) => message.turnId === turnId)) this.#mirror.startSoon();
    else this.#mirror.start();
    return added;
  }

  #snapshot(added: Message[], history: History): Snapshot {
    const state = this.#log.state;
    if (!state) throw new Error("The object holds no session");
    return { session: state.session, messages: history === "whole" ? this.#log.messages() : added };
  }

  /** What was just changed, once the index database has it or has had its time. */
  async #answer(added: Message[], history: History): Promise<Outcome<Snapshot>> {
    const snapshot = this.#snapshot(added, history);
    await this.#mirror.settled(PATIENCE_MS);
    return success(snapshot);
  }

  #change(change: (session: Session) => Outcome<Session>, history: History): Promise<Outcome<Snapshot>> {
    return this.#amendments.enter(async () => {
      const session = await this.#takeIn();
      if (!session) return notFound("session");
      const changed = change(session);
      if (!changed.ok) return changed;
      if (!this.#log.state) {
        const log = await readLog(this.#db, session.id, session.lastSeq);
        if (hasEnded(changed.value)) {
          await carrySession(this.#db, changed.value, [], true);
          return success({ session: changed.value, messages: history === "whole" ? log : [] });
        }
        this.#log.hold(session, log);
      }
      this.#log.amend(changed.value);
      this.#mirror.start();
      return this.#answer([], history);
    });
  }

  #afterTurn<T>(job: () => Promise<T>): Promise<T> {
    this.#runningTurn?.abort();
    return this.#turns.enterFirst(job);
  }

  /** The session if it takes messages now. Asked again after every wait: it may have ended meanwhile. */
  async #active(): Promise<Outcome<Session>> {
    await this.#takeIn();
    const state = this.#log.state;
    return state && !state.removed && state.session.status === "ACTIVE"
      ? success(state.session)
      : failed({ reason: "session-not-active" });
  }

  /** Takes the session in unless it is here. One that has ended stays where it is; `null` for one that is not. */
  #takeIn(): Promise<Session | null> {
    const state = this.#log.state;
    if (state) return Promise.resolve(state.removed ? null : this.#startIfDue(state.session));
    this.#takingIn ??= this.#load().finally(() => {
      this.#takingIn = null;
    });
    return this.#takingIn;
  }

  async #load(): Promise<Session | null> {
    const session = await findSession(this.#db, this.ctx.id.name ?? "");
    if (!session || hasEnded(session)) return session;
    this.#log.hold(session, await readLog(this.#db, session.id, session.lastSeq));
    return this.#startIfDue(session);
  }

  #startIfDue(session: Session): Session {
    const started = startIfDue(session, now());
    if (started === session) return session;
    this.#log.amend(started);
    this.#mirror.start();
    return started;
  }

  #awaitStart(): void {
    const dueAt = this.#log.state?.session.dueAt;
    if (dueAt != null) this.#setAlarm(dueAt);
  }

  #setAlarm(at: EpochMs): void {
    const dueAt = this.#log.state?.session.dueAt ?? Infinity;
    void this.ctx.storage.setAlarm(Math.min(at, dueAt));
  }
}

function longestWait(replies: Reply[]): number | null {
  const waits = replies.flatMap(({ retryAfterSeconds }) => (retryAfterSeconds === null ? [] : [retryAfterSeconds]));
  return waits.length > 0 ? Math.max(...waits) : null;
}
