/**
 * Runs the room's commands for frames from a socket, and answers each frame with an `ack` or a `failure`. A frame's id
 * is an idempotency key of its sender: a frame that is sent twice has one effect, and gets the same answer.
 *
 * The format of frames does not belong here: that is `streaming/client-frames.ts`. Effects: those of the room's
 * commands.
 */
import { CANNOT_APPEND, CANNOT_CHAT, canAppend, canChat, writerOf } from "../core/caller.ts";
import type { Caller } from "../core/caller.ts";
import { rootCause } from "../core/failure.ts";
import type { Failure } from "../core/failure.ts";
import { transientErrorOf } from "../core/transient-error.ts";
import type { Session } from "../core/session.ts";
import type { SessionRoom } from "./session-room.ts";
import type { ClientFrame } from "./streaming/client-frames.ts";
import type { StreamEvent } from "./streaming/events.ts";

type Append = Extract<ClientFrame, { type: "message-append" }>;
type Cancel = Extract<ClientFrame, { type: "turn-cancel" }>;
type Submit = Extract<ClientFrame, { type: "prompt-submit" }>;

/**
 * @param kind the session's kind
 * @param send sends a failure that occurs after the answer
 * @returns the answer
 */
export async function runFrame(
  room: SessionRoom,
  frame: ClientFrame,
  caller: Caller,
  kind: Session["kind"] | null,
  send: (event: StreamEvent) => void,
): Promise<StreamEvent> {
  try {
    return await runCommand(room, frame, caller, kind, send);
  } catch (error) {
    return unavailable(frame.id, error);
  }
}

async function runCommand(
  room: SessionRoom,
  frame: ClientFrame,
  caller: Caller,
  kind: Session["kind"] | null,
  send: (event: StreamEvent) => void,
): Promise<StreamEvent> {
  switch (frame.type) {
    case "turn-cancel":
      return canChat(caller) ? cancel(room, frame) : forbidden(frame.id, CANNOT_CHAT);
    case "message-append":
      return append(room, frame, caller, kind);
    case "prompt-submit":
      return !canChat(caller) ? forbidden(frame.id, CANNOT_CHAT) : submit(room, frame, caller, send);
  }
}

async function cancel(room: SessionRoom, { id, chatId }: Cancel): Promise<StreamEvent> {
  const stopped = await room.stop(chatId ?? null);
  return stopped.ok ? { type: "ack", id, turnId: stopped.value } : failure(id, stopped.failure);
}

async function append(
  room: SessionRoom,
  { id, role, content }: Append,
  caller: Caller,
  kind: Session["kind"] | null,
): Promise<StreamEvent> {
  if (kind === "comparison") {
    const message = "A comparison session takes prompts: send prompt-submit";
    return { type: "failure", id, code: "not_supported", message };
  }
  if (!canAppend(caller, role)) {
    return forbidden(id, CANNOT_APPEND);
  }
  const input = { role, content, createdAt: null };
  const outcome = await room.append(input, idempotencyKeyOf(id, caller), writerOf(caller));
  return outcome.ok ? { type: "ack", id, seq: outcome.value.message.seq } : failure(id, outcome.failure);
}

async function submit(
  room: SessionRoom,
  { id, content }: Submit,
  caller: Caller,
  send: (event: StreamEvent) => void,
): Promise<StreamEvent> {
  const accepted = await room.submitPrompt({ content }, idempotencyKeyOf(id, caller));
  if (!accepted.ok) return failure(id, accepted.failure);
  const { turnId, submitted, replayed } = accepted.value;
  if (submitted && !replayed) {
    void submitted.started.then(
      (outcome) => {
        if (!outcome.ok) send(failure(id, outcome.failure));
      },
      (error: unknown) => send(unavailable(id, error)),
    );
  }
  return { type: "ack", id, turnId };
}

const forbidden = (id: string, message: string): StreamEvent => ({ type: "failure", id, code: "forbidden", message });

const idempotencyKeyOf = (frameId: string, caller: Caller) => ({ caller: caller.id, key: `frame ${frameId}` });

const FAILURE_MESSAGES: ReadonlyMap<string, string> = new Map([
  ["session-not-active", "The session takes no messages now"],
  ["session-full", "The session's log is full"],
  ["turn-queue-full", "Too many turns wait in this session"],
  ["idempotency-conflict", "Another frame was sent under this id"],
  ["chat-not-found", "The session has no such chat"],
  ["not-found", "The session's chatbot or client no longer exists"],
]);

/** The answer to a frame that D1 could not be asked for. @throws any other error */
function unavailable(id: string, error: unknown): StreamEvent {
  if (!transientErrorOf(error)) throw error;
  console.error({ event: "platform-unavailable", error: rootCause(error) });
  return { type: "failure", id, code: "unavailable", message: "The database cannot be reached now: try again" };
}

function failure(id: string, { reason, ...details }: Failure): StreamEvent {
  const name = "resource" in details && details.resource === "chat" ? "chat-not-found" : reason;
  return {
    type: "failure",
    id,
    code: name.replaceAll("-", "_"),
    message: FAILURE_MESSAGES.get(name) ?? "The frame was rejected",
  };
}
