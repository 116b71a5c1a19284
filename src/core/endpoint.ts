import type { EpochMs } from "./time.ts";

/** The kinds of endpoint that can be asked. */
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

/** What an endpoint's tokens cost, for a million of them, in whatever currency the evaluator counts. */
export interface Prices {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** How much of an endpoint may be used at once, by all sessions together; 0 stands for no limit. */
export interface CallLimits {
  /** Calls begun within any second. */
  maxCallsPerSecond: number;
  /** Calls under way. */
  maxConcurrency: number;
}

/** A model at an address, with what it takes to ask it. */
export interface Endpoint extends CallLimits {
  /** Slug of the name it was created with; never changes. */
  id: string;
  name: string;
  connectorType: ConnectorType;
  /** Base address; `""` stands for the connector's own. */
  uri: string;
  /** The provider's key, sealed (`sealed.ts`; those of earlier versions may be plain), or `env:NAME` for a secret of the Worker, or `""`. */
  token: string;
  model: string;
  /** JSON text of an object: what goes along with every call. */
  params: string;
  /** What its tokens cost; `null` where nobody has said. */
  prices: Prices | null;
  createdAt: EpochMs;
  updatedAt: EpochMs;
}

/** Replaces a secret wherever an endpoint, an error message or a receipt is shown. */
export const SECRET_MASK = "********";

/** A token that stands for a secret of the Worker: `env:PROVIDER_…`. */
const SECRET_REFERENCE = /^env:(PROVIDER_[A-Za-z0-9_]+)$/;

/** The name of the secret that a token stands for, or `null` where the token is the secret itself. */
export const secretNameOf = (token: string): string | null => SECRET_REFERENCE.exec(token)?.[1] ?? null;
