/**
 * Runs: a data set of items that is put to endpoints, each item as often as asked, in conversations of their own. What an
 * answer is judged by is here too; running them is in `runs/`. Pure.
 */
import { compileRegex } from "./linear-regex.ts";
import type { Message, ReplyDetail } from "./message.ts";
import type { Session } from "./session.ts";
import type { EpochMs } from "./time.ts";

export const RUN_STATUSES = ["running", "paused", "completed", "cancelled", "failed"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const MAX_RUN_ITEMS = 10_000;
export const MAX_RUN_ANSWERS = 1_000_000;
export const MAX_ITEM_TURNS = 1_000;
/** All prompts of an item, in UTF-16 code units: an item passes to its run in one call. */
export const MAX_ITEM_CHARACTERS = 4_000_000;
export const MAX_REPEAT = 100;
export const MAX_CONCURRENCY = 64;
export const DEFAULT_CONCURRENCY = 8;

/** What a reply must be like. All that is given must hold, and case counts. */
export interface Expectation {
  contains?: string | undefined;
  equals?: string | undefined;
  notContains?: string | undefined;
  /** In RE2's syntax. */
  regex?: string | undefined;
}

export interface RunItem {
  id: string;
  /** The prompts of a conversation. */
  turns: string[];
  /** `null`: its answers are not judged. */
  expect: Expectation | null;
  tags: string[];
}

/** What a run does. */
export interface RunPlan {
  name: string;
  endpoints: string[];
  repeat: number;
  concurrency: number;
  /** Shuffles the conversations; `null` for the order of the items. */
  orderSeed: number | null;
  createdAt: EpochMs;
  /** A session of the run, but for its id and its times. */
  session: Session;
  /** What the log of each session begins with: greetings of chatbots. */
  messages: Message[];
}

export interface RunProgress {
  /** Answers so far: one for each endpoint and turn. */
  done: number;
  of: number;
  errors: number;
}

/** A run as lists show it. */
export interface RunSummary {
  id: string;
  name: string;
  status: RunStatus;
  createdAt: EpochMs;
  endpoints: string[];
  repeat: number;
  progress: RunProgress;
}

/** One answer of a run, without its text. */
export interface RunResult {
  itemId: string;
  /** From 1. */
  repetition: number;
  /** From 1. */
  turn: number;
  endpoint: string;
  sessionId: string;
  chatId: string;
  chatRecordId: number;
  status: ReplyDetail["status"];
  errorCode: string | null;
  /** Whether it is as expected; `null` for one that is not judged. */
  pass: boolean | null;
  durationMs: number | null;
  cost: number | null;
}

/** Which answers to list. */
export interface ResultFilter {
  item?: string | undefined;
  endpoint?: string | undefined;
  status?: ReplyDetail["status"] | undefined;
  pass?: boolean | undefined;
}

/**
 * Whether a reply is as expected. A pattern that no longer compiles fits nothing.
 *
 * @returns `null` if it is too long for the pattern
 */
export function isAsExpected(text: string, { contains, equals, notContains, regex }: Expectation): boolean | null {
  if (contains !== undefined && !text.includes(contains)) return false;
  if (equals !== undefined && text !== equals) return false;
  if (notContains !== undefined && text.includes(notContains)) return false;
  if (regex === undefined) return true;
  const compiled = compileRegex(regex);
  return "matches" in compiled ? compiled.matches(text) : false;
}
