/**
 * Who answers in a chatbot session: the bot, the bot while somebody waits for a person, or a person. Pure; takes the time
 * as an argument.
 */
import type { Writer } from "./caller.ts";
import type { HumanAuthor, Role } from "./message.ts";
import type { EpochMs } from "./time.ts";

/** `waiting`: somebody has asked for a person, and the bot still answers. */
export const HANDLERS = ["bot", "waiting", "human"] as const;
export type Handler = (typeof HANDLERS)[number];

/** A person who answers. */
export interface Operator {
  id: string;
  name: string;
}

/** What is known of the last change between bot and person. */
export interface Handover {
  /** Why a person was asked for, or took over. */
  reason: string | null;
  /** Who took over; `null` if nobody has yet. */
  operator: Operator | null;
  /** What the last person who handed back wants other operators to know. Never sent to a model. */
  note: string | null;
  /** After this time without a word of the person the bot takes over again, in milliseconds; `null` for never. */
  timeoutMs: number | null;
  /** When that is; `null` for never. */
  handbackAt: EpochMs | null;
  /**
   * How often somebody took over, for statistics: D1 does not see each change, since several may go there as one. Absent in
   * storage of earlier code.
   */
  takeovers?: number;
}

/** The part of a session that a hand-over changes. */
export interface Handling {
  handler: Handler;
  /** Since when; `null` for a session that was always the bot's. */
  handlerSince: EpochMs | null;
  handover: Handover | null;
}

export const BOT_HANDLING: Handling = { handler: "bot", handlerSince: null, handover: null };

/** Somebody asks for a person. No change if a person handles the session, or if somebody asked before. */
export function requestHuman(handling: Handling, reason: string | null, at: EpochMs): Handling {
  if (handling.handler !== "bot") return handling;
  return { handler: "waiting", handlerSince: at, handover: { ...NO_HANDOVER, ...lastingPart(handling), reason } };
}

const NO_HANDOVER: Handover = { reason: null, operator: null, note: null, timeoutMs: null, handbackAt: null };

/** What stays with every change. */
const lastingPart = ({ handover }: Handling): Pick<Handover, "note" | "takeovers"> => ({
  note: handover?.note ?? null,
  ...(handover?.takeovers === undefined ? {} : { takeovers: handover.takeovers }),
});

/** A person takes over, from the bot or from another person. The reason of who asked stays, unless there is a new one. */
export function takeOver(
  handling: Handling,
  { operator, reason, timeoutMs }: { operator: Operator; reason: string | null; timeoutMs: number | null },
  at: EpochMs,
): Handling {
  const isSameCall = isHandledBy(handling, operator);
  const earlier = handling.handler === "waiting" || isSameCall ? (handling.handover?.reason ?? null) : null;
  return {
    handler: "human",
    handlerSince: at,
    handover: {
      ...lastingPart(handling),
      reason: reason ?? earlier,
      operator,
      timeoutMs,
      handbackAt: handbackTime(timeoutMs, at),
      takeovers: (handling.handover?.takeovers ?? 0) + (isSameCall ? 0 : 1),
    },
  };
}

/** Then a further take-over is the same call again. */
const isHandledBy = ({ handler, handover }: Handling, { id }: Operator): boolean =>
  handler === "human" && handover?.operator?.id === id;

/** The bot answers again. If it does already, a note is kept all the same. */
export function handBack(handling: Handling, note: string | null, at: EpochMs): Handling {
  const isBots = handling.handler === "bot";
  if (isBots && note === null) return handling;
  const last = handling.handover ?? NO_HANDOVER;
  const handover = { ...last, note: note ?? last.note, handbackAt: null };
  return { handler: "bot", handlerSince: isBots ? handling.handlerSince : at, handover };
}

/** The person has written something, so the time until the bot takes over begins again. */
export const keepHandling = (handling: Handling, at: EpochMs): Handling =>
  handling.handler === "human" && handling.handover?.timeoutMs
    ? { ...handling, handover: { ...handling.handover, handbackAt: handbackTime(handling.handover.timeoutMs, at) } }
    : handling;

const handbackTime = (timeoutMs: number | null, at: EpochMs): EpochMs | null =>
  timeoutMs === null ? null : at + timeoutMs;

/** The author of a message; `null` if no person wrote it for the chatbot's side. */
export const authorOf = ({ handler, handover }: Handling, role: Role, by: Writer): HumanAuthor | null => {
  const isHandled = handler === "human";
  if (role !== "assistant" || !(isHandled || by.role === "operator")) return null;
  const { id, name } = (isHandled ? handover?.operator : null) ?? by;
  return { kind: "human", id, name };
};
