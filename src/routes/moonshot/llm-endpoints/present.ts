/**
 * Makes Moonshot's JSON of an endpoint. No effects.
 */
import type * as z from "zod";
import type { Endpoint } from "../../../core/endpoint.ts";
import { maskToken } from "../../moonshot-shared/llm-endpoints/mask-token.ts";
import { presentPrices } from "../present.ts";
import type * as schemas from "./response-schemas.ts";

export const presentEndpoint = (endpoint: Endpoint): z.output<typeof schemas.Endpoint> => ({
  id: endpoint.id,
  name: endpoint.name,
  connector_type: endpoint.connectorType,
  uri: endpoint.uri,
  token: maskToken(endpoint.token),
  model: endpoint.model,
  max_calls_per_second: endpoint.maxCallsPerSecond,
  max_concurrency: endpoint.maxConcurrency,
  params: JSON.parse(endpoint.params) as Record<string, unknown>,
  pinned: endpoint.pinned ?? [],
  prices: presentPrices(endpoint.prices),
});
