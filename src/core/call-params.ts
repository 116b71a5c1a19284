/**
 * The params of an endpoint, divided into what is sent to the provider and what steers Parley: deadlines, attempts, and
 * texts that Moonshot's endpoint files put around a prompt. Pure. What a provider's own params mean is its adapter's business.
 */

/** Names of Parley's own params. They are never sent. */
export const PARLEY_PARAMS = ["timeout_ms", "first_token_ms", "idle_ms", "max_attempts", "alternate_roles"] as const;

/**
 * Names of the params by which Moonshot steers its own calls. They are obeyed and never sent.
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

/** How long a whole reply may take, in milliseconds, unless `timeout_ms` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** How often an endpoint is called for one reply, unless `max_attempts` says otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 2;

/** How long a reply may take, in milliseconds, and how often it may be asked for. */
export interface ReplyLimits {
  timeoutMs: number;
  /** From each call's sending to its first text. */
  firstTokenMs: number | null;
  /** Between one text and the next. */
  idleMs: number | null;
  maxAttempts: number;
}

/** What is put around a prompt. */
export interface PromptWrapper {
  /** A system text; `""` for none. */
  system: string;
  /** What goes right before and right behind the prompt. */
  before: string;
  after: string;
}

/** An endpoint's params, parsed. */
export interface CallParams {
  /** What goes to the provider. A `null` removes what Parley would add, and is not sent. */
  sent: Record<string, unknown>;
  limits: ReplyLimits;
  wrapper: PromptWrapper;
  /** Whether user and assistant must alternate; `null` where the endpoint leaves it to its connector. */
  alternateRoles: boolean | null;
}

/** @param params JSON text of an object */
export function readCallParams(params: string, defaultMaxAttempts = DEFAULT_MAX_ATTEMPTS): CallParams {
  const all = JSON.parse(params) as Record<string, unknown>;
  return {
    sent: Object.fromEntries(Object.entries(all).filter(([name]) => !UNSENT_PARAMS.has(name))),
    limits: {
      timeoutMs: numberOf(all["timeout_ms"]) ?? secondsOf(all["timeout"]) ?? DEFAULT_TIMEOUT_MS,
      firstTokenMs: numberOf(all["first_token_ms"]),
      idleMs: numberOf(all["idle_ms"]),
      maxAttempts: numberOf(all["max_attempts"]) ?? moonshotAttempts(all) ?? defaultMaxAttempts,
    },
    wrapper: {
      system: textOf(all["system_prompt"]),
      before: textOf(all["pre_prompt"]),
      after: textOf(all["post_prompt"]),
    },
    alternateRoles: flagOf(all["alternate_roles"]),
  };
}

/** A param of Parley's own as a number, where it is one or is the text of one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : null;
}

/** The longest time that a whole reply may take, in milliseconds. */
export const MAX_TIMEOUT_MS = 600_000;

/** Moonshot's `timeout`, in seconds, as milliseconds. */
function secondsOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds === null || seconds === 0 ? null : Math.min(seconds * 1000, MAX_TIMEOUT_MS);
}

/** The most calls that one reply may take. */
export const MAX_ATTEMPTS = 10;

/** Moonshot's `num_of_retries` counts the calls behind the first; without `allow_retries` there are none. */
function moonshotAttempts(all: Record<string, unknown>): number | null {
  if (flagOf(all["allow_retries"]) === false) return 1;
  const repeats = numberOf(all["num_of_retries"]);
  return repeats === null ? null : Math.min(1 + Math.floor(repeats), MAX_ATTEMPTS);
}

/** A flag, or its text: forms send every value as text. */
function flagOf(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? value.trim().toLowerCase() : "";
  return word === "true" || word === "false" ? word === "true" : null;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
