/**
 * The registry of providers, by connector type. This folder calls models: `adapters/` has the vendors' wire formats,
 * `call/` everything that all calls share (retries, deadlines, reading of replies, receipts), and `limits/` the rate
 * limiter of an endpoint. What to send is decided in `turn/`. Pure.
 */
import { MOONSHOT_PARAMS, PARLEY_PARAMS } from "../core/call-params.ts";
import type { ConnectorType, Endpoint } from "../core/endpoint.ts";
import { nearestName } from "../core/unknown-fields.ts";
import { anthropic } from "./adapters/anthropic.ts";
import { echo } from "./adapters/echo.ts";
import { eliza } from "./adapters/eliza.ts";
import { googleGemini } from "./adapters/google-gemini.ts";
import { VENDORS, openaiCompatible } from "./adapters/openai-compatible.ts";
import type { Provider } from "./call/provider.ts";
import { httpProvider } from "./call/http-provider.ts";
import { workersAi } from "./adapters/workers-ai.ts";

/** The provider of each connector type. */
export const PROVIDERS = {
  "openai-connector": httpProvider(openaiCompatible(VENDORS.openai)),
  "azure-openai-connector": httpProvider(openaiCompatible(VENDORS.azure)),
  "together-connector": httpProvider(openaiCompatible(VENDORS.together)),
  "anthropic-connector": httpProvider(anthropic),
  "google-gemini-connector": httpProvider(googleGemini),
  "workers-ai-connector": workersAi,
  "echo-connector": echo,
  "eliza-connector": eliza,
} as const satisfies Record<ConnectorType, Provider>;

/**
 * Finds a param with a value that its connector cannot use. `null` if there is none. A param that is `null` is unset.
 *
 * @param params JSON text of an object
 */
export function findParamProblem(
  connectorType: ConnectorType,
  params: string,
): { name: string; message: string } | null {
  const { paramRules }: Provider = PROVIDERS[connectorType];
  for (const [name, value] of Object.entries(JSON.parse(params) as Record<string, unknown>)) {
    const rule = paramRules?.get(name);
    if (rule && value !== null && !rule.isValid(value)) return { name, message: rule.message };
  }
  return null;
}

/** Connectors without a model: nothing but Parley reads their params. */
const WITHOUT_MODEL: ReadonlySet<ConnectorType> = new Set(["echo-connector", "eliza-connector"]);

/**
 * Finds a name that is probably a misspelt param, for a connector without a model. `null` if there is none. Params of
 * models, such as `temperature`, are no misspelt ones: the same params can be for several endpoints.
 *
 * @param names of params, or `model`
 */
export function findMisspeltParam(
  connectorType: ConnectorType,
  names: readonly string[],
): { name: string; nearest: string } | null {
  if (!WITHOUT_MODEL.has(connectorType)) return null;
  const known = ["model", ...PARLEY_PARAMS, ...MOONSHOT_PARAMS, ...PROVIDERS[connectorType].params];
  for (const name of names) {
    const nearest = known.includes(name) ? null : nearestName(name, known);
    if (nearest !== null) return { name, nearest };
  }
  return null;
}

/**
 * The origin that calls of an endpoint go to; `""` for a connector without an address, `null` for an address that is
 * none.
 */
export function originOf({ connectorType, uri }: Pick<Endpoint, "connectorType" | "uri">): string | null {
  const address = uri || PROVIDERS[connectorType].defaultUri;
  if (!address) return "";
  return URL.canParse(address) ? new URL(address).origin : null;
}
