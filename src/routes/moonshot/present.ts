import type * as z from "zod";
import { MOONSHOT_PARAMS, OWN_PARAMS } from "../../core/call-params.ts";
import type { ConnectorType, Prices } from "../../core/endpoint.ts";
import type { Provider } from "../../providers/call/provider.ts";
import type * as schemas from "./schemas.ts";

export const presentPrices = (prices: Prices | null): z.output<typeof schemas.Prices> | null =>
  prices ? { input_per_million: prices.inputPerMillion, output_per_million: prices.outputPerMillion } : null;

export const presentConnector = (type: ConnectorType, provider: Provider): z.output<typeof schemas.Connector> => ({
  connector_type: type,
  required: ["name", "connector_type", ...provider.required],
  optional: [...provider.optional, "max_calls_per_second", "max_concurrency", "params", "prices"],
  default_uri: provider.defaultUri || null,
  params: [...OWN_PARAMS, ...MOONSHOT_PARAMS, ...provider.params],
});
