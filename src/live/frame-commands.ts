import type { Outcome } from "../core/failure.ts";
import type { Caller } from "../core/caller.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import { now } from "../core/time.ts";
import type { ClientFrame, StreamEvent } from "./streaming/events.ts";
import type { Log } from "./log/log.ts";
import { findResult, saveResult } from "./log/idempotency.ts";
import type { SubmittedTurn } from "./turns/turn-queue.ts";

/** What a frame can set going. */
export interface FramePorts {
  log: Log;
  active: () => Promise<Outcome<Session>>;
  append: (messages: NewMessage[]) => Message[];
  submit: (prompt: string) => Outcome<SubmittedTurn>;
  /** @returns the id of the turn that was stopped, or `null` when none runs */
  stop: (chatId: string | null) => string | null;
  /** Tells the sender of what became of its frame later than its answer. */
  tellSender: (event: StreamEvent) => void;
}

type Append = Extract<ClientFrame, { type: "message-append" }>;
type Cancel = Extract<ClientFrame, { type: "turn-cancel" }>;
type Prompt = Extract<ClientFrame, { type: "prompt-submit" }>;

/**
 * Does what a frame asks for. Its id is a key of its sender's: sent again after a lost answer, it gets the same answer and
 * does nothing a second time.
 *
 * @returns the answer: an `ack` or a `failure`
 */
export async function obeyFrame(frame: ClientFrame, caller: Caller, ports: FramePorts): Promise<StreamEvent> {
  if (frame.type === "turn-cancel") return cancel(frame, ports);
  const fault = forbidden(frame, caller, ports.log.state?.session.kind);
  if (fault) return { type: "failure", id: frame.id, ...fault };
  const active = await ports.active();
  if (!active.ok) return refusal(frame.id, active.failure.reason);
  // No await from here on: what is looked up, done and remembered is one transaction.
  return (
    again(frame, caller, ports) ?? (frame.type === "message-append" ? append : submit)(frame as never, caller, ports)
  );
}

function cancel({ id, chatId }: Cancel, { log, stop }: FramePorts): StreamEvent {
  const known = chatId === undefined || log.state?.session.chats.some((chat) => chat.chatId === chatId);
  return known ? { type: "ack", id, turnId: stop(chatId ?? null) } : refusal(id, "chat-not-found");
}

function forbidden(frame: Append | Prompt, { role }: Caller, kind: Session["kind"] | undefined) {
  if (frame.type !== "message-append") return null;
  if (kind === "comparison") {
    return { code: "not_supported", message: "A comparison session takes prompts: send prompt-submit" };
  }
  return role === "client" && frame.role !== "user"
    ? { code: "forbidden", message: "A client appends messages of role user only" }
    : null;
}

/** The answer to a frame that came before, or `null` for one that is new. */
function again(frame: Append | Prompt, caller: Caller, { log }: FramePorts): StreamEvent | null {
  const before = findResult(log, ownKey(frame, caller), askedBy(frame));
  if (before === "conflict") return refusal(frame.id, "idempotency-conflict");
  return (
    before && { type: "ack", id: frame.id, ...(before.seq === null ? { turnId: before.turn_id } : { seq: before.seq }) }
  );
}

function append(frame: Append, caller: Caller, { log, append: appendAll }: FramePorts): StreamEvent {
  const chatId = log.state?.session.chats[0]?.chatId ?? null;
  const { role, content } = frame;
  const [message] = appendAll([{ chatId, turnId: null, role, content, createdAt: now(), reply: null }]);
  const seq = message?.seq ?? 0;
  saveResult(log, ownKey(frame, caller), askedBy(frame), { seq, turn_id: null }, now());
  return { type: "ack", id: frame.id, seq };
}

function submit(frame: Prompt, caller: Caller, { log, submit: enqueue, tellSender }: FramePorts): StreamEvent {
  const submitted = enqueue(frame.content);
  if (!submitted.ok) return refusal(frame.id, submitted.failure.reason);
  const { turnId, started } = submitted.value;
  saveResult(log, ownKey(frame, caller), askedBy(frame), { seq: null, turn_id: turnId }, now());
  void started.then((outcome) => {
    if (!outcome.ok) tellSender(refusal(frame.id, outcome.failure.reason));
  });
  return { type: "ack", id: frame.id, turnId };
}

const ownKey = (frame: ClientFrame, caller: Caller) => ({ caller: caller.id, key: `frame ${frame.id}` });

const askedBy = ({ id: _id, ...asked }: ClientFrame) => asked;

const REFUSALS: Readonly<Record<string, string>> = {
  "session-not-active": "The session takes no messages now",
  "turn-queue-full": "Too many turns wait in this session",
  "idempotency-conflict": "Another frame was sent under this id",
  "chat-not-found": "The session has no such chat",
  "not-found": "The session's chatbot or client is gone",
};

const refusal = (id: string, reason: string): StreamEvent => ({
  type: "failure",
  id,
  code: reason.replaceAll("-", "_"),
  message: REFUSALS[reason] ?? "The frame was refused",
});
