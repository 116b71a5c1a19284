/**
 * The registry of providers, by connector type. This folder calls models: `adapters/` has the vendors' wire formats,
 * `call/` everything that all calls share (retries, deadlines, reading of replies, receipts), and `limits/` the rate
 * limiter of an endpoint. What to send is decided in `turn/`. Pure.
 */
import type { ConnectorType } from "../core/endpoint.ts";
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
