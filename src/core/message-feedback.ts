/**
 * Feedback on a message: whether an answer was good, and why. Feedback on a whole session is a field of the session. Pure.
 */
import type { Author, FinishReason, Message } from "./message.ts";
import type { EpochMs } from "./time.ts";

export const RATINGS = [-1, 1] as const;
export type Rating = (typeof RATINGS)[number];

export const MAX_TAGS = 8;
export const MAX_TAG_LENGTH = 40;
export const MAX_COMMENT_LENGTH = 1_000;

/** What a caller gives for a message. */
export interface GivenFeedback {
  rating: Rating;
  /** Each once. */
  tags: string[];
  comment: string | null;
}

export interface MessageFeedback extends GivenFeedback {
  seq: number;
  /** When it was given or last changed. */
  updatedAt: EpochMs;
}

/** What feedback keeps of the message that it is on, and of the user message that this one answers, besides their texts. */
export interface FeedbackOn {
  createdAt: EpochMs;
  author?: Author;
  /** Only of a reply. */
  finishReason?: FinishReason;
  /** `null` if the message answers none, such as a greeting. */
  answered: { seq: number; createdAt: EpochMs } | null;
}

/** Whether a message can be rated: it is the chatbot's, or that of a person in its place. */
export const isAnswer = ({ role }: Pick<Message, "role">): boolean => role === "assistant";

/**
 * Whether a message is the one that an answer answers: of the messages before it on its path, the newest for which this is
 * true. A reply answers a prompt, and not what somebody added during its turn.
 */
export const isAnsweredBy = (message: Message, answer: Message): boolean =>
  message.role === "user" && (answer.turnId === null || message.turnId !== null);
