/**
 * Which key each endpoint's stored token needs, for an operator who rotates the key. Opening a token for a call is in
 * `reply-caller.ts`. No effects.
 */
import type { Endpoint } from "../../core/endpoint.ts";
import { isSecret, keyOf } from "../../crypto/sealed-tokens.ts";
import type { EncryptionSecrets } from "../../crypto/sealed-tokens.ts";
import { originOf } from "../registry.ts";

/** Ids of endpoints. */
interface TokenKeys {
  /** Their token needs a previous key. */
  previousKey: string[];
  /** No key opens their token. */
  unreadable: string[];
}

export async function checkTokens(endpoints: Endpoint[], secrets: EncryptionSecrets): Promise<TokenKeys> {
  const keys: TokenKeys = { previousKey: [], unreadable: [] };
  for (const endpoint of endpoints) {
    if (!isSecret(endpoint.token)) continue;
    const { id: endpointId, connectorType } = endpoint;
    const key = await keyOf(endpoint.token, { endpointId, connectorType, origin: originOf(endpoint) ?? "" }, secrets);
    if (key === "previous") keys.previousKey.push(endpointId);
    if (key === null) keys.unreadable.push(endpointId);
  }
  return keys;
}
