import type { Outcome } from "../../core/failure.ts";
import { failed, success } from "../../core/failure.ts";
import { now } from "../../core/time.ts";
import type { Subscribers } from "../streaming/subscribers.ts";
import type { SavedResult, Log } from "../log/log.ts";
import { findResult, saveResult } from "../log/idempotency.ts";
import type { IdempotencyKey } from "../log/idempotency.ts";
import type { Prompt } from "./plan-turn.ts";
import { replayTurn } from "../streaming/replay.ts";
import type { TurnResult } from "./turn-runner.ts";
import type { TurnStream } from "../session-results.ts";
import type { SubmittedTurn, TurnQueue } from "./turn-queue.ts";

/** What becomes of a prompt: a turn that was just accepted, or one that the same call set going before. */
interface Accepted {
  turnId: string;
  /** The turn, while it waits or runs; `null` when it is over. */
  submitted: SubmittedTurn | null;
  replayed: boolean;
}

interface PromptPorts {
  log: Log;
  turns: TurnQueue;
  audience: Subscribers;
  /** Keeps the object at work until a turn is over, whether its caller stays or goes. */
  seeThrough: (submitted: SubmittedTurn) => void;
}

/** Prompts on their way to the queue; those that come by HTTP accepted once for their caller's key. The session has been taken in. */
export class Prompts {
  readonly #ports: PromptPorts;

  constructor(ports: PromptPorts) {
    this.#ports = ports;
  }

  /** Waits until the turn is over. */
  async put(content: string, own: IdempotencyKey | null): Promise<Outcome<TurnResult & { replayed: boolean }>> {
    const accepted = this.#accept(content, own);
    if (!accepted.ok) return accepted;
    const { turnId, submitted, replayed } = accepted.value;
    if (!submitted) return success({ added: this.#ports.log.ofTurn(turnId), retryAfterSeconds: null, replayed });
    const taken = await submitted.finished;
    return taken.ok ? success({ ...taken.value, replayed }) : taken;
  }

  /** @returns the turn's events as they come, once it begins */
  async follow(content: string, own: IdempotencyKey | null, readerId: string): Promise<Outcome<TurnStream>> {
    const accepted = this.#accept(content, own);
    if (!accepted.ok) return accepted;
    const { log, turns, audience } = this.#ports;
    const { turnId, submitted, replayed } = accepted.value;
    const stream = audience.openStream(readerId, turnId, null);
    const end = () => stream.end();
    if (!submitted) {
      void stream.catchUp(replayTurn(log, turnId, true, () => [])).then(end);
      return success({ events: stream.readable, replayed });
    }
    const runs = log.state?.turn?.turnId === turnId;
    if (runs) void stream.catchUp(replayTurn(log, turnId, false, () => turns.soFar()));
    submitted.finished.then(end, end);
    const begun = await submitted.started;
    if (begun.ok) return success({ events: stream.readable, replayed });
    stream.cut("The turn has not begun");
    return begun;
  }

  /** No await, so what is looked up and done is one transaction. */
  #accept(content: string, own: IdempotencyKey | null): Outcome<Accepted> {
    const { log } = this.#ports;
    if (log.state?.removed !== false) return failed({ reason: "session-not-active" });
    const before = findResult(log, own, { content });
    if (before === "conflict") return failed({ reason: "idempotency-conflict" });
    const known = before ? this.#earlier(before) : null;
    if (known) return success(known);
    if (log.state.session.status !== "ACTIVE") return failed({ reason: "session-not-active" });
    return this.#submitOnce({ content, seq: before ? this.#seqOf(before) : null }, own);
  }

  /** Puts a prompt in the queue, whatever came before. */
  submit(prompt: Prompt): Outcome<SubmittedTurn> {
    const submitted = this.#ports.turns.submit(prompt);
    if (submitted.ok) this.#ports.seeThrough(submitted.value);
    return submitted;
  }

  #submitOnce(prompt: Prompt, own: IdempotencyKey | null): Outcome<Accepted> {
    const submitted = this.submit(prompt);
    if (!submitted.ok) return submitted;
    const { turnId } = submitted.value;
    const { content, seq } = prompt;
    saveResult(this.#ports.log, own, { content }, { seq, turn_id: turnId }, now());
    return success({ turnId, submitted: submitted.value, replayed: false });
  }

  /** The turn that a key set going, or `null` for one that failed, or was lost before it began: it is asked again. */
  #earlier({ turn_id: turnId }: SavedResult): Accepted | null {
    const { log, turns } = this.#ports;
    if (turnId === null) return null;
    const submitted = turns.find(turnId);
    if (submitted) return { turnId, submitted, replayed: true };
    const last = log.ofTurn(turnId).at(-1)?.reply;
    const failure = log.held.session.kind === "chatbot" && last?.status === "error";
    return last && !failure ? { turnId, submitted: null, replayed: true } : null;
  }

  /** Where the prompt of an earlier turn stands in the log, which is where it stays. */
  #seqOf({ turn_id: turnId, seq }: SavedResult): number | null {
    const brought = turnId === null ? [] : this.#ports.log.ofTurn(turnId);
    return brought.find(({ role }) => role === "user")?.seq ?? seq;
  }
}
