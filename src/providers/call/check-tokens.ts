/**
 * Which key each endpoint's stored token needs, for an operator who rotates the key. Opening a token for a call is in
 * `reply-caller.ts`. No effects.
 */
import type { Endpoint } from "../../core/endpoint.ts";
import { isSecret, keyOf } from "../../crypto/sealed-tokens.ts";
import type { EncryptionSecrets } from "../../crypto/sealed-tokens.ts";
import { originOf } from "../registry.ts";

/** Ids of endpoints, at most 100 in each list. */
interface TokenKeys {
  /** Their token needs a previous key. */
  previousKey: string[];
  /** No key opens their token. */
  unreadable: string[];
}

/** How many endpoints to name in each list. */
const MAX_NAMED = 100;

/** @param pages the endpoints, page by page */
export async function checkTokens(
  pages: AsyncIterable<{ items: Endpoint[] }>,
  secrets: EncryptionSecrets,
): Promise<TokenKeys> {
  const keys: TokenKeys = { previousKey: [], unreadable: [] };
  for await (const { items } of pages) {
    for (const endpoint of items) {
      const key = await keyOfEndpoint(endpoint, secrets);
      if (key === "previous" && keys.previousKey.length < MAX_NAMED) keys.previousKey.push(endpoint.id);
      if (key === null && keys.unreadable.length < MAX_NAMED) keys.unreadable.push(endpoint.id);
    }
  }
  return keys;
}

/** Which key opens the token. `undefined` if there is nothing to open. */
const keyOfEndpoint = async (endpoint: Endpoint, secrets: EncryptionSecrets) => {
  const { id: endpointId, connectorType, token } = endpoint;
  if (!isSecret(token)) return undefined;
  return keyOf(token, { endpointId, connectorType, origin: originOf(endpoint) ?? "" }, secrets);
};
