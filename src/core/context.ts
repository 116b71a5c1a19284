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

/**
 * What is known of a session from its replies so far: where its summary is, and how many tokens its provider counts for each
 * token of the plain estimate. Absent before it is known.
 */
export interface ContextFacts {
  /** By calls that were long enough to say so. 1 at least. */
  tokenScale?: number;
  /** By the last call, of whatever length. Of a short one, what the provider adds to every call is much. */
  lastScale?: number;
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

/** A call with fewer tokens than this part of `maxTokens` is too short for the estimate of others. */
const MIN_MEASURED_PART = 1 / 4;

/** After a call for which the provider counts less, a scale falls by half at most: the next one can have other texts. */
const MAX_FALL = 0.5;

/** The estimated tokens of texts: their characters / 4, rounded up, or as many more as the provider is known to count. */
export const estimateTokens = (characters: number, { tokenScale = 1 }: ContextFacts): number =>
  Math.ceil((characters / CHARACTERS_PER_TOKEN) * tokenScale);

/** The characters that a call with history may have. What must be sent can have more: only the estimate limits it. */
export function charactersFor(maxTokens: number, { tokenScale = 1, lastScale }: ContextFacts): number {
  const scale = lastScale === undefined ? UNKNOWN_SCALE : Math.max(tokenScale, lastScale) * SCALE_MARGIN;
  return Math.floor((maxTokens * CHARACTERS_PER_TOKEN) / scale);
}

/** What is known after more messages. */
export const factsAfter = (facts: ContextFacts, messages: Pick<Message, "seq" | "reply">[]): ContextFacts =>
  messages.reduce(
    (known, { seq, reply }) => (reply?.context ? addReply(known, seq, reply, reply.context) : known),
    facts,
  );

function addReply(facts: ContextFacts, seq: number, reply: ReplyDetail, context: SentContext): ContextFacts {
  const hasSummary = context.summary !== undefined && context.summary.text !== "";
  return { ...facts, ...scalesAfter(facts, reply, context), ...(hasSummary ? { summarySeq: seq } : {}) };
}

function scalesAfter(
  facts: ContextFacts,
  { status, usage }: ReplyDetail,
  { characters, maxTokens }: SentContext,
): ContextFacts {
  if (status !== "ok") return {};
  const tokens = characters / CHARACTERS_PER_TOKEN;
  // A provider that counts nothing leaves the plain estimate.
  const counted = usage === null ? 1 : usage.inputTokens / tokens;
  const scaleAfter = (scale = 1) => Math.max(1, counted, scale * MAX_FALL);
  const isLong = tokens >= maxTokens * MIN_MEASURED_PART;
  return {
    lastScale: scaleAfter(facts.lastScale),
    ...(isLong ? { tokenScale: scaleAfter(facts.tokenScale) } : {}),
  };
}
