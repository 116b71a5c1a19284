/**
 * Messages that callers append, each once per idempotency key. Prompts are in `prompts.ts`, and the room's commands for
 * everything else in `session-room.ts`. Effects: the log, events and replication, by the injected world.
 */
import type { Writer } from "../core/caller.ts";
import type { Outcome } from "../core/failure.ts";
import { failed, success } from "../core/failure.ts";
import { authorOf } from "../core/handover.ts";
import type { Message } from "../core/message.ts";
import { requireLastSeq } from "../core/message-tree.ts";
import type { Session } from "../core/session.ts";
import { findResult, saveResult } from "./log/idempotency.ts";
import type { IdempotencyKey } from "./log/idempotency.ts";
import { makeResult } from "./make-result.ts";
import type { ResultInRoom } from "./passed-messages.ts";
import type { SessionLoader } from "./session-loader.ts";
import type { AppendParams, History, NewMessageInput } from "./session-results.ts";
import type { SessionWorld } from "./session-world.ts";
import { appendMessages } from "./turns/append-messages.ts";

type AppendOptions = Pick<AppendParams, "by" | "expectedSeq">;

interface AppendResult {
  message: Message;
  /** Whether an earlier call with the same key appended it. */
  replayed: boolean;
}

export class Appends {
  readonly #world: SessionWorld;
  readonly #loader: SessionLoader;

  constructor(world: SessionWorld, loader: SessionLoader) {
    this.#world = world;
    this.#loader = loader;
  }

  /**
   * Appends a message, once per idempotency key. The message is durable when the call returns.
   *
   * @returns `session-not-active` unless the session is `ACTIVE`, `session-full` if its log is, `idempotency-conflict`
   * if the key was used for another message
   */
  async append(input: NewMessageInput, key: IdempotencyKey | null, by?: Writer): Promise<Outcome<AppendResult>> {
    return this.#appendOnce(await this.#loader.findActive(), input, key, { by });
  }

  /** Appends a message, and returns it with the session at that time. */
  async appendAndShow(
    input: NewMessageInput,
    history: History,
    key: IdempotencyKey | null,
    options?: AppendOptions,
  ): Promise<ResultInRoom> {
    const appended = this.#appendOnce(await this.#loader.findActive(), input, key, options);
    if (!appended.ok) return appended;
    const { message, replayed } = appended.value;
    const result = makeResult(this.#world.log, [message], history, { replayed });
    if (!replayed) await this.#world.replication.waitIfQuick();
    return success(result);
  }

  /** Has no await, so that the lookup, the append and the saved result are one transaction. */
  #appendOnce(
    active: Outcome<Session>,
    input: NewMessageInput,
    key: IdempotencyKey | null,
    { by, expectedSeq }: AppendOptions = {},
  ): Outcome<AppendResult> {
    const { log } = this.#world;
    const saved = this.#loader.isLoaded ? findResult(log, key, input) : null;
    if (saved === "conflict") return failed({ reason: "idempotency-conflict" });
    const [first] = saved ? log.messages((saved.seq ?? 1) - 1, 1).items : [];
    if (first) return success({ message: first, replayed: true });
    if (!active.ok) return active;
    const unchanged = requireLastSeq(active.value, expectedSeq);
    if (!unchanged.ok) return unchanged;
    const message = this.#append(active.value, input, by);
    saveResult(log, key, input, { seq: message.seq, turn_id: null }, this.#world.clock());
    return success({ message, replayed: false });
  }

  #append(session: Session, input: NewMessageInput, by: Writer | undefined): Message {
    const { clock } = this.#world;
    const { role, content } = input;
    const chatId = session.chats[0]?.chatId ?? null;
    const createdAt = input.createdAt ?? clock();
    const author = by ? authorOf(session, role, by) : null;
    const message = { chatId, turnId: null, turnNumber: null, role, content, createdAt, reply: null };
    const [appended] = appendMessages(this.#world, [author ? { ...message, author } : message]);
    if (!appended) throw new Error("A message was not appended");
    if (author) this.#loader.keepHandling();
    return appended;
  }
}
