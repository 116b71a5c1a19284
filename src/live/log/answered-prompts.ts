/** Which message of the user a reply answers, and where it stands. Effects: reads the log. */
import type { Message } from "../../core/message.ts";
import { isOnPath } from "../../core/message-tree.ts";
import type { Log } from "./log.ts";

/** The user message that a reply answers: in its turn, or in an earlier one. */
export function promptOfReply(log: Log, { turnId, reply }: Message): Message | undefined {
  if (!reply || turnId === null) return undefined;
  if (reply.promptSeq !== undefined) return log.message(reply.promptSeq);
  return log.messagesOfTurn(turnId).find(({ role }) => role === "user");
}

/** The user message whose reply failed, if such a reply is the end of the active path. */
export function failedPrompt(log: Log): Message | undefined {
  const last = log.message(log.places.leaf);
  return last?.reply?.status === "error" ? promptOfReply(log, last) : undefined;
}

/**
 * What a reply to a prompt of the log follows: the prompt, if that has left the active path meanwhile. If a reply to it that
 * failed is the end of the path, what that follows. `null` for the end of the path.
 */
export function placeOfAnswer(log: Log, seq: number): number | null {
  if (!isOnPath(log.loadedState.session.activePath, seq)) return seq;
  return failedPrompt(log)?.seq === seq ? log.places.parentOf(log.places.leaf) : null;
}
