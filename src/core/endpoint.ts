/**
 * Endpoints: a model at a URL, with the token, params, limits and prices of its calls. How a provider is called is in
 * `providers/`; how a token is encrypted is in `crypto/sealed-tokens.ts`. Pure.
 */
import type { EpochMs } from "./time.ts";

/** The kinds of endpoint. `providers/registry.ts` has the provider of each. */
export const CONNECTOR_TYPES = [
  "openai-connector",
  "azure-openai-connector",
  "together-connector",
  "anthropic-connector",
  "google-gemini-connector",
  "workers-ai-connector",
  "echo-connector",
  "eliza-connector",
] as const;
export type ConnectorType = (typeof CONNECTOR_TYPES)[number];

/** Prices of one million tokens, in any currency: Parley only multiplies. */
export interface Prices {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** Limits on the use of an endpoint by all sessions together. 0 means no limit. */
export interface CallLimits {
  /** Calls started within any second. */
  maxCallsPerSecond: number;
  /** Calls in progress. */
  maxConcurrency: number;
}

/** A model and what a call to it needs. */
export interface Endpoint extends CallLimits {
  /** Slug of the name at creation. It never changes. */
  id: string;
  name: string;
  connectorType: ConnectorType;
  /** Base URL; `""` for the connector's default. */
  uri: string;
  /**
   * The provider's key, encrypted (`crypto/sealed-tokens.ts`), or `env:NAME` for a secret of the Worker, or `""`.
   */
  token: string;
  model: string;
  /** JSON text of an object, sent with every call. */
  params: string;
  /** Names of params, or `model`, that a chatbot cannot override; `null` for none. */
  pinned: string[] | null;
  /** `null` if no prices are set. */
  prices: Prices | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
}

/** Replaces a secret wherever an endpoint, an error message or a receipt is shown. */
export const SECRET_MASK = "********";

/** A token that refers to a secret of the Worker: `env:PROVIDER_…`. */
const SECRET_REFERENCE = /^env:(PROVIDER_[A-Za-z0-9_]+)$/;

/** The name of the Worker secret that a token refers to; `null` if the token is the secret itself. */
export const secretNameOf = (token: string): string | null => SECRET_REFERENCE.exec(token)?.[1] ?? null;
