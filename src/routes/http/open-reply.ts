/** A reply that comes in, for one reader, who takes it when it has time. No effects. */
import type { ReplyEnd, ReplyFailure } from "../../core/reply.ts";
import type { HttpProblem } from "./problem.ts";

/** How a reply ends: a person answers in the place of the model, or as a call to a provider does. */
export type ReplyEnding = EndOfReply | ReplyFailure | { type: "human" };

/** Why a reader gets no more of a reply that is not broken off: its token is no longer valid, or it has read too slowly. */
export interface ReaderEnding {
  type: "token-ended" | "reader-too-slow";
}

/** Why a reader gets no more of a reply. */
export type FinalEvent = ReplyEnding | ReaderEnding;

export const isOfReader = (final: FinalEvent): final is ReaderEnding =>
  final.type === "token-ended" || final.type === "reader-too-slow";

export const problemOfReader = ({ type }: ReaderEnding): HttpProblem =>
  type === "token-ended" ? { reason: "unauthenticated", hasEnded: true } : { reason: "reader-too-slow" };

/** What more is known of the end of a turn's reply. */
export interface EndOfReply extends ReplyEnd {
  durationMs?: number | null;
  ttftMs?: number | null;
  /** Whether a person has taken over, and thereby stopped it. */
  isTakenOver?: true;
}

/** @param end what a session has of it: not which model, and which call to the provider */
export const endOfReply = (end: Omit<EndOfReply, "type" | "model" | "providerRequestId">): EndOfReply => ({
  type: "end",
  model: null,
  providerRequestId: null,
  ...end,
});

/** What has come since the last portion. */
export interface ReplyPortion {
  text: string;
  /** `null` while the reply goes on. */
  final: FinalEvent | null;
}

/** A reply that comes in, and who stops it. */
export interface OpenReply {
  /**
   * Waits for a portion. Take the next one only after the last has come. After the final one, none come.
   *
   * @returns `null` if nothing has come for a while: a stream says then that it is alive
   */
  next: () => Promise<ReplyPortion | null>;
  /** Called when the caller leaves. */
  stop: () => void;
}

/** Waits for the whole reply. */
export async function wholeReply(reply: OpenReply): Promise<{ text: string; final: FinalEvent }> {
  let text = "";
  for (;;) {
    const portion = await reply.next();
    text += portion?.text ?? "";
    if (portion?.final) return { text, final: portion.final };
  }
}
