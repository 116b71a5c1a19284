/**
 * Calls one endpoint for one reply: reads its token, keeps its limits, and calls its provider with retries. Effects:
 * network I/O, timers, calls to the object that keeps the endpoint's limits.
 */
import { readCallParams } from "../../core/call-params.ts";
import type { ReplyRequest } from "../../core/reply.ts";
import { NOT_CALLED } from "../../core/reply.ts";
import { sha256Hex } from "../../crypto/secrets.ts";
import { allowsPrivateUrls } from "../../net/url-guard.ts";
import type { SlotHolder } from "../limits/slot-holder.ts";
import { slotsOf } from "../limits/endpoint-slots.ts";
import { PROVIDERS } from "../registry.ts";
import { callWithRetries } from "./attempts.ts";
import type { OnEvents } from "./attempts.ts";
import type { ProviderEnv } from "./provider.ts";
import { readToken } from "./read-token.ts";

/** What a call needs from the invocation that makes it. */
export interface CallEnvironment {
  env: Env;
  /** Lets work continue after the response. */
  waitUntil: (work: Promise<void>) => void;
  /** The object that makes the call, if one does. */
  slotHolder?: SlotHolder | undefined;
}

/** Emits texts, then one end or failure. Never rejects because of a provider. */
export async function callEndpoint(
  request: ReplyRequest,
  stop: AbortSignal,
  onEvents: OnEvents,
  { env, waitUntil, slotHolder }: CallEnvironment,
): Promise<void> {
  const token = await readToken(request, env);
  if (typeof token !== "string") return onEvents([{ ...token, metrics: NOT_CALLED }]);
  const providerEnv = providerEnvOf(env);
  const provider = PROVIDERS[request.connectorType];
  const { timeoutMs } = readCallParams(request.params, provider.maxAttempts).limits;
  const acquireSlot = slotsOf(request, timeoutMs, { endpoints: env.ENDPOINTS, waitUntil, slotHolder });
  return callWithRetries(provider, { ...request, token }, { stop, acquireSlot, providerEnv, onEvents });
}

const providerEnvOf = (env: Env): ProviderEnv => ({
  ai: Reflect.get(env, "AI") as unknown,
  allowPrivateUrls: allowsPrivateUrls(env.ALLOW_PRIVATE_ENDPOINTS),
});

/**
 * The hash that the receipt of a request would have, before the call: lower-case hex SHA-256 of the exact body. `null` for
 * a call without a body, and for one that cannot be made.
 */
export async function bodyHashOf(request: ReplyRequest, env: Env): Promise<string | null> {
  const provider = PROVIDERS[request.connectorType];
  const { providerParams } = readCallParams(request.params, provider.maxAttempts);
  const call = provider.prepare({ request, providerParams, providerEnv: providerEnvOf(env) });
  return "type" in call || call.body === null ? null : sha256Hex(call.body);
}
