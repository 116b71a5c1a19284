import type * as z from "zod";
import { MOONSHOT_PARAMS, PARLEY_PARAMS } from "../../core/call-params.ts";
import type { ConnectorType, Endpoint, Prices } from "../../core/endpoint.ts";
import { SECRET_MASK, secretNameOf } from "../../core/endpoint.ts";
import type { Session } from "../../core/session.ts";
import { zonedStamp } from "../../core/time.ts";
import type { Provider } from "../../providers/call/provider.ts";
import type * as schemas from "./schemas.ts";

/** A session in Moonshot's keys, in their order. `created_epoch` is in seconds. */
export function presentSession(session: Session, zone: string, history: z.output<typeof schemas.History> | null) {
  return {
    session_id: session.id,
    name: session.title ?? "",
    description: session.description ?? "",
    created_epoch: session.createdAt / 1000,
    created_datetime: zonedStamp(session.createdAt, zone),
    chat_ids: session.chats.map(({ chatId }) => chatId),
    endpoints: session.chats.map(({ endpointId }) => endpointId ?? ""),
    prompt_template: session.promptTemplate,
    context_strategy: session.contextStrategy,
    filename: null,
    chat_history: history,
  } satisfies z.output<typeof schemas.Session>;
}

export const presentEndpoint = (endpoint: Endpoint): z.output<typeof schemas.Endpoint> => ({
  id: endpoint.id,
  name: endpoint.name,
  connector_type: endpoint.connectorType,
  uri: endpoint.uri,
  token: shownToken(endpoint.token),
  model: endpoint.model,
  max_calls_per_second: endpoint.maxCallsPerSecond,
  max_concurrency: endpoint.maxConcurrency,
  params: JSON.parse(endpoint.params) as Record<string, unknown>,
  prices: presentPrices(endpoint.prices),
});

export const presentPrices = (prices: Prices | null): z.output<typeof schemas.Prices> | null =>
  prices ? { input_per_million: prices.inputPerMillion, output_per_million: prices.outputPerMillion } : null;

function shownToken(token: string): string {
  if (token === "") return "";
  return secretNameOf(token) === null ? SECRET_MASK : token;
}

export const presentConnector = (type: ConnectorType, provider: Provider): z.output<typeof schemas.Connector> => ({
  connector_type: type,
  required: ["name", "connector_type", ...provider.required],
  optional: [...provider.optional, "max_calls_per_second", "max_concurrency", "params", "prices"],
  default_uri: provider.defaultUri || null,
  params: [...PARLEY_PARAMS, ...MOONSHOT_PARAMS, ...provider.params],
});
