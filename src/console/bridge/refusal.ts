/** Why an answer was not adopted, and what one can do. Pure. */
import type { ParleyError } from "../../client/errors.ts";
import type { Session } from "../../client/types.ts";
import { reasonOf } from "../shared/problem.tsx";

/** The chat as it is now. */
export interface ChatNow {
  status: Session["status"];
  /** Its last message, on whichever path. */
  lastSeq: number;
}

export interface Refusal {
  text: string;
  /** What `expected_seq` adopts it all the same; `null` if that does not help. */
  lastSeq: number | null;
  /** Whether the same call may be made again. */
  canRepeat: boolean;
  /** Whether there is a chat to look at. */
  hasChat: boolean;
}

/** @param chat `null` if it is gone */
export function refusalOf(problem: ParleyError, chat: ChatNow | null): Refusal {
  const refusal = { lastSeq: null, canRepeat: false, hasChat: chat !== null };
  if (!chat) return { ...refusal, text: "The chat was deleted, so there is nothing to adopt the answer in." };
  if (chat.status !== "ACTIVE")
    return {
      ...refusal,
      canRepeat: true,
      text: `The chat takes no messages: it is ${chat.status.toLowerCase()}. Reopen it, then adopt.`,
    };
  // Of all refusals, only that of a running turn says when to come back.
  if (problem.retryAfterSeconds !== undefined)
    return { ...refusal, canRepeat: true, text: "The chatbot is answering in the chat. Wait for its end, then adopt." };
  // `/v1` has no codes: the message names the field that decides.
  if (problem.message.includes("expected_seq"))
    return {
      ...refusal,
      lastSeq: chat.lastSeq,
      text: "The chat has gone on since the comparison was made. Look at what is new there, then decide.",
    };
  return { ...refusal, text: `${reasonOf(problem)}.` };
}
