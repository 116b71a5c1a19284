import type * as z from "zod";
import { MOONSHOT_PARAMS, PARLEY_PARAMS } from "../../core/call-params.ts";
import type { ConnectorType, Prices } from "../../core/endpoint.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import type * as schemas from "./response-schemas.ts";

export const presentPrices = (prices: Prices | null): z.output<typeof schemas.Prices> | null =>
  prices ? { input_per_million: prices.inputPerMillion, output_per_million: prices.outputPerMillion } : null;

export function presentConnector(type: ConnectorType): z.output<typeof schemas.Connector> {
  const { required, optional, defaultUri, params } = PROVIDERS[type];
  return {
    connector_type: type,
    required: ["name", "connector_type", ...required],
    optional: [...optional, "max_calls_per_second", "max_concurrency", "params", "pinned", "prices"],
    default_uri: defaultUri || null,
    params: [...PARLEY_PARAMS, ...MOONSHOT_PARAMS, ...params],
  };
}
