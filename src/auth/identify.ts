import type { Caller } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import { findKeyHolder } from "./api-keys.ts";
import type { KeyStore } from "./api-keys.ts";
import { isJwt, verifyJwt } from "./jwt.ts";
import type { IdentityProvider } from "./jwt.ts";
import type { ReadJson } from "./jwks.ts";
import { equalSecrets } from "../crypto/secrets.ts";

/** Where callers are known from. */
export interface TokenSources {
  /** The bootstrap admin's token; without one nobody is that admin. */
  adminKey: string | undefined;
  keys: KeyStore;
  /** `null`: JWTs are not taken. */
  identityProvider: IdentityProvider | null;
  readJson: ReadJson;
}

const ADMIN: Caller = { role: "admin", id: "admin", keyId: null, clientId: null, expiresAt: null };

/** A caller who shows no token, where such are let in. */
export const ANONYMOUS: Caller = { role: "service", id: "anonymous", keyId: null, clientId: null, expiresAt: null };

/**
 * Who holds a token, or `null` for a bad, unknown, revoked or expired one.
 *
 * @throws KeySetUnavailable for a JWT while the identity provider's keys cannot be had
 */
export async function identify(token: string, sources: TokenSources, at: EpochMs): Promise<Caller | null> {
  const { adminKey, keys, identityProvider, readJson } = sources;
  if (adminKey?.trim() && equalSecrets(token, adminKey)) return ADMIN;
  if (!isJwt(token)) return findKeyHolder(token, keys, at);
  return identityProvider && verifyJwt(token, identityProvider, readJson, at);
}
