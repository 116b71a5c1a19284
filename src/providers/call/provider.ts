import type { ReplyFailure, ReplyRequest, ReplyStream } from "../../core/reply.ts";

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
  /** How addresses of other interfaces end, which people paste by mistake; `null` where no address is called. */
  unsupportedUrl: RegExp | null;
  /** The params that have a meaning of their own here, and are not sent as they are. */
  params: readonly string[];
  /** How often a question is put at most, unless `params.max_attempts` says otherwise. */
  maxAttempts: number;
  /** Whether it wants user and assistant to alternate, unless `params.alternate_roles` says otherwise. */
  alternateRoles: boolean;
  /** Makes the one call that a question is put with, as often as it has to be. Fails where none can be made. */
  prepare(input: CallInput): Call | ReplyFailure;
}

/** One question, and what it is put with. */
export interface CallInput {
  /** Its token is the secret itself. */
  request: ReplyRequest;
  /** The params without Parley's own. */
  providerParams: Record<string, unknown>;
  providerEnv: ProviderEnv;
}

/** What the Worker has and allows. */
export interface ProviderEnv {
  /** Whether http and private addresses may be called. */
  allowPrivateUrls: boolean;
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
   * @param attempt 1 for the first time
   */
  make(signal: AbortSignal, attempt: number): ReplyStream;
}

/** Params as they are laid over what an adapter adds by itself: a `null` removes it, and is not sent. */
export const withoutNulls = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null));
