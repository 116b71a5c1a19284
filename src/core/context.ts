/**
 * The context of a chatbot: how much of a conversation a call may send, and the estimate of its tokens. Choosing what to send
 * is in `turn/fit-context.ts`. Pure.
 */
import type { Message, ReplyDetail, SentContext } from "./message.ts";

/** `newest`: what does not fit is left out, the oldest first. `summary`: it is sent as a summary. */
export const KEEPS = ["newest", "summary"] as const;

/** The field `context` of a chatbot. */
export interface ContextSettings {
  /** The most tokens that a call sends, by the estimate. */
  maxTokens: number;
  keep: (typeof KEEPS)[number];
  /** The endpoint that makes summaries; absent for the chatbot's own. */
  summaryEndpointId?: string | undefined;
}

/** What is known of a session from its replies so far: how its provider counts, and where its summary is. */
export interface ContextFacts {
  /** Tokens that the provider counts for each token of the plain estimate, 1 at least. Absent before it is known. */
  tokenScale?: number;
  /** The `seq` of the reply with the newest summary. */
  summarySeq?: number;
}

/** https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Before the provider has counted anything, history is chosen as if it counted so much more: 1.6 characters as a token. Most
 * providers count less, also with what they add to each message.
 */
const UNKNOWN_SCALE = 2.5;

/** History is chosen for some tokens more than the provider last counted, because each call has other texts. */
const SCALE_MARGIN = 1.05;

/** A count of fewer tokens than this part of `maxTokens` says little: what providers add to each call is much of it. */
const MIN_MEASURED_PART = 1 / 16;

/** After a turn that counts less, the scale approaches it by so much. */
const SCALE_FADING = 0.95;

/** The estimated tokens of texts: their characters / 4, rounded up, or as many more as the provider is known to count. */
export const estimateTokens = (characters: number, scale: number | undefined): number =>
  Math.ceil((characters / CHARACTERS_PER_TOKEN) * (scale ?? 1));

/** The characters that a call with history may have. What must be sent can have more: only the estimate limits it. */
export const charactersFor = (maxTokens: number, scale: number | undefined): number =>
  Math.floor((maxTokens * CHARACTERS_PER_TOKEN) / (scale === undefined ? UNKNOWN_SCALE : scale * SCALE_MARGIN));

/** What is known after more messages. */
export const factsAfter = (facts: ContextFacts, messages: Pick<Message, "seq" | "reply">[]): ContextFacts =>
  messages.reduce(
    (known, { seq, reply }) => (reply?.context ? addReply(known, seq, reply, reply.context) : known),
    facts,
  );

function addReply(
  facts: ContextFacts,
  seq: number,
  { status, usage }: ReplyDetail,
  context: SentContext,
): ContextFacts {
  const tokens = context.characters / CHARACTERS_PER_TOKEN;
  const isMeasured = status === "ok" && tokens >= context.maxTokens * MIN_MEASURED_PART;
  // A provider that counts nothing leaves the plain estimate.
  const measured = usage === null ? 1 : usage.inputTokens / tokens;
  return {
    ...facts,
    ...(isMeasured ? { tokenScale: Math.max(1, measured, (facts.tokenScale ?? 1) * SCALE_FADING) } : {}),
    ...(context.summary && context.summary.text !== "" ? { summarySeq: seq } : {}),
  };
}
