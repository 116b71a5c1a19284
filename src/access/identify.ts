import { randomHex } from "../core/id.ts";
import type { ApiKey, Caller } from "../core/key.ts";
import type { EpochMs } from "../core/time.ts";

/** How long a key that was found is taken to be good, in milliseconds. A revocation elsewhere takes as long. */
const REMEMBER_MS = 15_000;

/** How many keys are remembered: more than a Worker sees in that time, and little memory. */
const REMEMBER_KEYS = 1_000;

const encoder = new TextEncoder();

const remembered = new Map<string, { key: ApiKey; until: EpochMs }>();

/** A new API key: 256 random bits, so that a plain SHA-256 of it is safe to store. */
export const newKey = (): string => `parley_${randomHex(32)}`;

/** Lower-case hex SHA-256. */
export async function hashToken(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(token));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Takes a revocation to heart at once, where it was made. */
export const forgetKey = (hash: string): boolean => remembered.delete(hash);

/** Where callers are known from. */
export interface Registry {
  /** The bootstrap admin's token; without one nobody is that admin. */
  adminKey: string | undefined;
  findKey: (hash: string) => Promise<ApiKey | null>;
}

/** Who holds a token, or `null` for a bad, unknown, revoked or expired one. At most one look-up, seldom any. */
export async function identify(token: string, { adminKey, findKey }: Registry, at: EpochMs): Promise<Caller | null> {
  if (adminKey && sameSecret(token, adminKey)) return { role: "admin", id: "admin", clientId: null, expiresAt: null };
  const hash = await hashToken(token);
  const key = await recall(hash, findKey, at);
  if (!key || (key.expiresAt !== null && key.expiresAt <= at)) return null;
  return { role: key.role, id: key.id, clientId: key.clientId, expiresAt: key.expiresAt };
}

/** The secret last compared with, and its bytes: it is the same one for as long as the Worker lives. */
let compared = { secret: "", bytes: encoder.encode("") };

/**
 * Compares in a time that does not tell where two secrets differ, only whether they are of one length.
 * https://developers.cloudflare.com/workers/examples/protect-against-timing-attacks/
 */
function sameSecret(given: string, secret: string): boolean {
  if (compared.secret !== secret) compared = { secret, bytes: encoder.encode(secret) };
  const bytes = encoder.encode(given);
  return bytes.byteLength === compared.bytes.byteLength
    ? crypto.subtle.timingSafeEqual(bytes, compared.bytes)
    : !crypto.subtle.timingSafeEqual(bytes, bytes);
}

async function recall(hash: string, findKey: Registry["findKey"], at: EpochMs): Promise<ApiKey | null> {
  const known = remembered.get(hash);
  if (known && known.until > at) return known.key;
  // While the index database is down nobody can revoke a key either: one that was good is good still.
  const key = await findKey(hash).catch((error: unknown) => known?.key ?? Promise.reject(error));
  if (remembered.size >= REMEMBER_KEYS) remembered.clear();
  // A key just made elsewhere must work at once, so only those that exist are remembered.
  if (key) remembered.set(hash, { key, until: at + REMEMBER_MS });
  return key;
}
