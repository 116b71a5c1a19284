/**
 * What a connector implements: `Provider` makes a `Call` from an endpoint and a request. The adapters implement it, and
 * `registry.ts` lists them. Pure.
 */
import type { ParamRule } from "../../core/call-params.ts";
import type { ReplyFailure, ReplyRequest, ReplyStream } from "../../core/reply.ts";

/** The fields of an endpoint that a connector may need. */
export type EndpointField = "uri" | "token" | "model";

/** A connector type. */
export interface Provider {
  /** The default base URL; `null` if the endpoint must set one, `""` if it needs none. */
  defaultUri: string | null;
  /** Required fields of an endpoint, besides its name. */
  required: readonly EndpointField[];
  /** Optional fields of an endpoint. */
  optional: readonly EndpointField[];
  /** Matches the end of URLs of other APIs, which users paste by mistake; `null` for a connector without a URL. */
  unsupportedUrl: RegExp | null;
  /** Params that the connector interprets and does not send as they are. */
  params: readonly string[];
  /** Rules for the values of these params, where only some values have a meaning. */
  paramRules?: ReadonlyMap<string, ParamRule>;
  /** Calls per reply, unless `params.max_attempts` is set. */
  maxAttempts: number;
  /** Whether user and assistant must alternate, unless `params.alternate_roles` is set. */
  alternateRoles: boolean;
  /**
   * Builds the call for a request. The same call is used for retries. Returns a failure if the call cannot be built.
   */
  prepare(input: CallInput): Call | ReplyFailure;
}

/** A request and what is needed to build its call. */
export interface CallInput {
  /** Its token is the secret in plain text. */
  request: ReplyRequest;
  /** The params without Parley's own. */
  providerParams: Record<string, unknown>;
  providerEnv: ProviderEnv;
}

/** Bindings and settings of the Worker. */
export interface ProviderEnv {
  /** Whether http and private addresses are allowed. */
  allowPrivateUrls: boolean;
  /** The `AI` binding, if there is one. */
  ai: unknown;
}

/** A call that can be made several times. */
export interface Call {
  /** `null` for a call without a URL. */
  url: string | null;
  /** The exact body; `null` if nothing is sent. */
  body: string | null;
  /** The requested model. */
  model: string;
  /**
   * Makes the call. Stops if the signal is aborted. Never throws because of a provider.
   *
   * @param attempt 1 for the first call
   * @param onModel gets the model's name when the provider sends it. A failure does not know it otherwise: a reply that is
   *   stopped ends outside of the stream
   */
  make(signal: AbortSignal, attempt: number, onModel: (model: string) => void): ReplyStream;
}

/** Removes params that are `null`. A `null` in the params removes a field that the adapter would add. */
export const withoutNulls = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null));
