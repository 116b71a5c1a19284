/** What is taken of a chat. */
export interface ChatPart {
  sessionId: string;
  /** The comparison gets this name. */
  name: string;
  /** The last message to take, at first; `null` for the whole conversation. */
  untilSeq: number | null;
  /** The answers that one may end with, oldest first. */
  answers: { seq: number; text: string }[];
}
