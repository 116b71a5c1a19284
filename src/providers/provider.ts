import type { ReplyFailed, ReplyRequest, ReplyStream } from "../core/reply.ts";

/** The fields of an endpoint that a connector may need. */
export type EndpointField = "uri" | "token" | "model";

/** How the endpoints of one connector type are asked. */
export interface Provider {
  /** The base address where the endpoint names none; `null` where it must. `""` for one that needs no address. */
  defaultUri: string | null;
  /** What an endpoint needs to be answered, beside a name. */
  required: readonly EndpointField[];
  /** What an endpoint may have. */
  optional: readonly EndpointField[];
  /** The params that have a meaning of their own here, and are not sent as they are. */
  params: readonly string[];
  /** How often a question is put at most, unless `params.max_attempts` says otherwise. */
  maxAttempts: number;
  /** Makes the one call that a question is put with, as often as it has to be. Fails where none can be made. */
  prepare(asked: Asked): Call | ReplyFailed;
}

/** One question, and what it is put with. */
export interface Asked {
  /** Its token is the secret itself. */
  request: ReplyRequest;
  /** The params without Parley's own. */
  sent: Record<string, unknown>;
  world: World;
}

/** What the Worker has and allows. */
export interface World {
  /** Whether http and private addresses may be called. */
  privateAllowed: boolean;
  /** The `AI` binding, if there is one. */
  ai: unknown;
}

/** A call that can be made, and made again just as it was. */
export interface Call {
  /** Where it goes; `null` when it goes nowhere. */
  url: string | null;
  /** The exact text that is sent; `null` when none is. */
  body: string | null;
  /** The model that is asked for. */
  model: string;
  /**
   * Makes it and tells what comes back. Stops when the signal is aborted. Never throws for what a provider did.
   *
   * @param nth 1 for the first time
   */
  make(signal: AbortSignal, nth: number): ReplyStream;
}

/** The params that are Parley's own: they steer the call and are never sent. */
export const OWN_PARAMS = ["timeout_ms", "first_token_ms", "idle_ms", "max_attempts"] as const;

/** How long a whole reply may take, in milliseconds, unless `params.timeout_ms` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** How often an endpoint is called for one reply, unless `params.max_attempts` says otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 2;

/** How long a reply may take, in milliseconds, and how often it may be asked for. */
export interface Limits {
  timeoutMs: number;
  /** From each call's sending to its first text. */
  firstTokenMs: number | null;
  /** Between one text and the next. */
  idleMs: number | null;
  maxAttempts: number;
}

/** A request's params, parted into what is sent and what steers the call. */
export function readParams(params: string, provider: Pick<Provider, "maxAttempts">) {
  const all = JSON.parse(params) as Record<string, unknown>;
  const own: readonly string[] = OWN_PARAMS;
  const sent = Object.fromEntries(Object.entries(all).filter(([name]) => !own.includes(name)));
  const limits: Limits = {
    timeoutMs: numberOf(all["timeout_ms"]) ?? DEFAULT_TIMEOUT_MS,
    firstTokenMs: numberOf(all["first_token_ms"]),
    idleMs: numberOf(all["idle_ms"]),
    maxAttempts: numberOf(all["max_attempts"]) ?? provider.maxAttempts,
  };
  return { sent, limits };
}

/** A param of Parley's own as a number, where it is one or is the text of one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : null;
}
