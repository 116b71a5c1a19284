/**
 * Authentication: turns a token into a caller. The folder has one file for each kind of token: API keys, JWTs with
 * their key sets, and tickets for sockets. What a role may do is decided in `routes/`. Effects: those of the given
 * sources.
 */
import type { Caller } from "../core/caller.ts";
import type { EpochMs } from "../core/time.ts";
import { findKeyHolder } from "./api-keys.ts";
import type { KeyStore } from "./api-keys.ts";
import { isJwt, verifyJwt } from "./jwt.ts";
import type { IdentityProvider } from "./jwt.ts";
import type { ReadJson } from "./jwks.ts";
import { equalSecrets } from "../crypto/secrets.ts";

/** The sources that know tokens. */
export interface TokenSources {
  /** The bootstrap admin's token. If it is not set or not acceptable, there is no such admin. */
  adminKey: string | undefined;
  keys: KeyStore;
  /** `null` if JWTs are not accepted. */
  identityProvider: IdentityProvider | null;
  readJson: ReadJson;
}

const ADMIN: Caller = { role: "admin", id: "admin", keyId: null, clientId: null, expiresAt: null };

/**
 * Finds the holder of a token.
 *
 * @returns `null` for an invalid, unknown, revoked or expired token
 * @throws KeySetUnavailable for a JWT while the identity provider's keys cannot be read
 */
export async function identify(token: string, sources: TokenSources, at: EpochMs): Promise<Caller | null> {
  const { adminKey, keys, identityProvider, readJson } = sources;
  if (adminKey && equalSecrets(token, adminKey)) return ADMIN;
  if (!isJwt(token)) return findKeyHolder(token, keys, at);
  return identityProvider && verifyJwt(token, identityProvider, readJson, at);
}
