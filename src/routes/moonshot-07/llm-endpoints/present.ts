/** Makes Moonshot 0.7's JSON of an endpoint. No effects. */
import type * as z from "zod";
import type { Endpoint } from "../../../core/endpoint.ts";
import { zonedTime } from "../../../core/time.ts";
import { maskToken } from "../../moonshot-shared/llm-endpoints/mask-token.ts";
import type * as schemas from "./response-schemas.ts";

/** @param zone the IANA zone of `created_date` */
export const presentEndpoint = (endpoint: Endpoint, zone: string): z.output<typeof schemas.Endpoint> => ({
  id: endpoint.id,
  name: endpoint.name,
  connector_type: endpoint.connectorType,
  uri: endpoint.uri,
  token: maskToken(endpoint.token),
  max_calls_per_second: endpoint.maxCallsPerSecond,
  max_concurrency: endpoint.maxConcurrency,
  model: endpoint.model,
  params: JSON.parse(endpoint.params) as Record<string, unknown>,
  created_date: zonedTime(endpoint.createdAt, zone),
});
