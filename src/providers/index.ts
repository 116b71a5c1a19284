import type { ConnectorType } from "../core/endpoint.ts";
import { anthropic } from "./anthropic.ts";
import { echo } from "./echo.ts";
import { eliza } from "./eliza.ts";
import { googleGemini } from "./google-gemini.ts";
import { VENDORS, openaiCompatible } from "./openai-compatible.ts";
import type { Provider } from "./provider.ts";
import { overHttp } from "./stream-reply.ts";
import { workersAi } from "./workers-ai.ts";

/** Every connector type and how its endpoints are asked. */
export const PROVIDERS = {
  "openai-connector": overHttp(openaiCompatible(VENDORS.openai)),
  "azure-openai-connector": overHttp(openaiCompatible(VENDORS.azure)),
  "together-connector": overHttp(openaiCompatible(VENDORS.together)),
  "anthropic-connector": overHttp(anthropic),
  "google-gemini-connector": overHttp(googleGemini),
  "workers-ai-connector": workersAi,
  "echo-connector": echo,
  "eliza-connector": eliza,
} as const satisfies Record<ConnectorType, Provider>;
