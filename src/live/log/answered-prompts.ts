/** Which message of the user a reply answers. Effects: reads the log. */
import type { Message } from "../../core/message.ts";
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
