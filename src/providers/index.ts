import type { ConnectorType } from "../core/endpoint.ts";
import { anthropic } from "./anthropic.ts";
import { echo } from "./echo.ts";
import { eliza } from "./eliza.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import type { Provider } from "./provider.ts";
import { overHttp } from "./stream-reply.ts";

/** Every connector type and how its endpoints are asked. */
export const PROVIDERS = {
  "openai-connector": overHttp(openaiCompatible("https://api.openai.com/v1")),
  "anthropic-connector": overHttp(anthropic),
  "echo-connector": echo,
  "eliza-connector": eliza,
} as const satisfies Record<ConnectorType, Provider>;
