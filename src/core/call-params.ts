/**
 * Params of an endpoint. Splits them into params for the provider and params that Parley uses itself: timeouts,
 * attempts, and texts around the prompt.
 * What a param means to one provider belongs to that provider's adapter in `providers/adapters`. Pure.
 */

import { overriddenPins } from "./param-names.ts";

/** The values that a param may have, and the message for any other. */
export interface ParamRule {
  isValid: (value: unknown) => boolean;
  message: string;
}

/** Params that only Parley reads. They are never sent. */
export const PARLEY_PARAMS = ["timeout_ms", "first_token_ms", "idle_ms", "max_attempts", "alternate_roles"] as const;

/**
 * Moonshot's params for its own calls. Parley applies them and never sends them.
 * https://github.com/aiverify-foundation/moonshot-data/tree/main/connectors-endpoints
 */
export const MOONSHOT_PARAMS = [
  "timeout",
  "allow_retries",
  "num_of_retries",
  "pre_prompt",
  "post_prompt",
  "system_prompt",
] as const;

const UNSENT_PARAMS: ReadonlySet<string> = new Set([...PARLEY_PARAMS, ...MOONSHOT_PARAMS]);

/** Time limit for a whole reply if `timeout_ms` is not set, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** Calls for one reply if `max_attempts` is not set. */
export const DEFAULT_MAX_ATTEMPTS = 2;

/** Time limits of a reply, in milliseconds, and the number of calls it may take. */
export interface ReplyLimits {
  timeoutMs: number;
  /** From the start of a call to its first text. */
  firstTokenMs: number | null;
  /** Between two texts. */
  idleMs: number | null;
  maxAttempts: number;
}

/** Texts placed around a prompt. */
export interface PromptWrapper {
  /** A system text; `""` for none. */
  system: string;
  /** Text directly before and directly after the prompt. */
  before: string;
  after: string;
}

/** An endpoint's params, parsed. */
export interface CallParams {
  /** Params for the provider. `null` removes a param that Parley would add, and is not sent. */
  providerParams: Record<string, unknown>;
  limits: ReplyLimits;
  wrapper: PromptWrapper;
  /** Whether user and assistant messages must alternate; `null` uses the connector's default. */
  alternateRoles: boolean | null;
}

/** @param params JSON text of an object */
export function readCallParams(params: string, defaultMaxAttempts = DEFAULT_MAX_ATTEMPTS): CallParams {
  const all = JSON.parse(params) as Record<string, unknown>;
  return {
    providerParams: Object.fromEntries(Object.entries(all).filter(([name]) => !UNSENT_PARAMS.has(name))),
    limits: {
      timeoutMs: Math.min(
        numberOf(all["timeout_ms"]) ?? secondsToMs(all["timeout"]) ?? DEFAULT_TIMEOUT_MS,
        MAX_TIMEOUT_MS,
      ),
      firstTokenMs: numberOf(all["first_token_ms"]),
      idleMs: numberOf(all["idle_ms"]),
      maxAttempts: Math.min(numberOf(all["max_attempts"]) ?? moonshotAttempts(all) ?? defaultMaxAttempts, MAX_ATTEMPTS),
    },
    wrapper: {
      system: textOf(all["system_prompt"]),
      before: textOf(all["pre_prompt"]),
      after: textOf(all["post_prompt"]),
    },
    alternateRoles: flagOf(all["alternate_roles"]),
  };
}

/**
 * The params of a call: those of the endpoint, overridden by the chatbot's, but for pinned ones.
 *
 * @param params JSON text of an object, like `overrides` and the result
 */
export function mergeParams(params: string, overrides: string | null, pinned: readonly string[]): string {
  if (overrides === null) return params;
  const added = JSON.parse(overrides) as Record<string, unknown>;
  const ignored = new Set(overriddenPins(added, pinned));
  const allowed = Object.fromEntries(Object.entries(added).filter(([name]) => !ignored.has(name)));
  return JSON.stringify({ ...JSON.parse(params), ...allowed });
}

/** A number, or a text that contains one; `null` for anything else and for negative numbers. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : null;
}

/** The longest time limit of a reply, in milliseconds. */
export const MAX_TIMEOUT_MS = 600_000;

/** Moonshot's `timeout` is in seconds. Returns milliseconds. */
function secondsToMs(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds === null || seconds === 0 ? null : seconds * 1000;
}

/** The highest number of calls for one reply. */
export const MAX_ATTEMPTS = 10;

/** Moonshot's `num_of_retries` counts the calls after the first one. Without `allow_retries` there is one call. */
function moonshotAttempts(all: Record<string, unknown>): number | null {
  if (flagOf(all["allow_retries"]) === false) return 1;
  const retries = numberOf(all["num_of_retries"]);
  return retries === null ? null : 1 + Math.floor(retries);
}

/** A boolean or its text: forms send every value as text. */
export function flagOf(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  return text === "true" || text === "false" ? text === "true" : null;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
