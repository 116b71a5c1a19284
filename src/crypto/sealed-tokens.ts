/**
 * Sealed tokens: encrypts endpoint tokens for storage and decrypts them for a call (AES-256-GCM, key rotation). Hashing
 * and comparing secrets is in `secrets.ts`; storage and use of tokens are elsewhere. Effects: random numbers.
 */
import { splitCommaList } from "../core/comma-list.ts";
import type { ConnectorType } from "../core/endpoint.ts";
import { secretNameOf } from "../core/endpoint.ts";
import { isLocalStart, LOCAL_SECRETS } from "../core/local-start.ts";

/**
 * Secrets of the Worker: keys of 32 bytes in base64. The current key encrypts and decrypts. Previous keys, separated by
 * commas, only decrypt.
 */
export interface EncryptionSecrets {
  ENCRYPTION_KEY?: string;
  ENCRYPTION_KEY_PREVIOUS?: string;
  LOCAL?: string;
}

/** What a token may be used for. It is authenticated, so a token cannot be used for anything else. */
export interface TokenBinding {
  endpointId: string;
  connectorType: ConnectorType;
  /** The origin that calls go to; `""` for a connector without an address. */
  origin: string;
}

/**
 * Prefix of every sealed token, with the version of the format. Tokens of version 1 do not open: they were not bound to
 * an origin, so whoever writes to the database could have one sent to another host.
 */
const SEALED_PREFIX = "sealed:2:";

const KEY_BYTES = 32;

/** The nonce length that AES-GCM is designed for: NIST SP 800-38D, 8.2. */
const IV_BYTES = 12;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const isSealed = (token: string): boolean => token.startsWith(SEALED_PREFIX);

/** Whether a token is the secret itself: neither empty nor a reference to a Worker secret. */
export const isSecret = (token: string): boolean => token !== "" && secretNameOf(token) === null;

/** Whether a valid encryption key is set. */
export const canSeal = (secrets: EncryptionSecrets): boolean => currentKey(secrets) !== null;

/** The key that encrypts. The one of local starts is public, so a deployment encrypts nothing with it. */
const currentKey = (secrets: EncryptionSecrets): Uint8Array<ArrayBuffer> | null =>
  secrets.ENCRYPTION_KEY?.trim() === LOCAL_SECRETS.ENCRYPTION_KEY && !isLocalStart(secrets)
    ? null
    : decodeKey(secrets.ENCRYPTION_KEY);

/**
 * Encrypts an endpoint's token for storage: AES-256-GCM with the current key. The binding is authenticated.
 *
 * @returns `sealed:2:<base64 of IV and ciphertext>`; `null` if no valid key is set
 */
export async function seal(token: string, binding: TokenBinding, secrets: EncryptionSecrets): Promise<string | null> {
  const key = canSeal(secrets) ? await aesKey(secrets.ENCRYPTION_KEY) : null;
  if (!key) return null;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(cipher(iv, binding), key, encoder.encode(token));
  return SEALED_PREFIX + toBase64(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
}

/**
 * Decrypts a stored token.
 *
 * @returns the token in plain text; `null` if it is not sealed, is bound to something else, or no key decrypts it
 */
export async function unseal(token: string, binding: TokenBinding, secrets: EncryptionSecrets): Promise<string | null> {
  return (await open(token, binding, secrets))?.plaintext ?? null;
}

/** Which key opens a stored token: the current one, a previous one, or `null` for none. */
export async function keyOf(
  token: string,
  binding: TokenBinding,
  secrets: EncryptionSecrets,
): Promise<"current" | "previous" | null> {
  const opened = await open(token, binding, secrets);
  if (!opened) return null;
  return opened.keyIndex === 0 ? "current" : "previous";
}

async function open(token: string, binding: TokenBinding, secrets: EncryptionSecrets) {
  const payload = isSealed(token) ? fromBase64(token.slice(SEALED_PREFIX.length)) : null;
  if (!payload) return null;
  const keys = [secrets.ENCRYPTION_KEY, ...splitCommaList(secrets.ENCRYPTION_KEY_PREVIOUS)];
  for (const [keyIndex, encoded] of keys.entries()) {
    const key = await aesKey(encoded);
    const plaintext = key && (await decrypt(key, payload, binding));
    if (plaintext !== null) return { plaintext, keyIndex };
  }
  return null;
}

/**
 * Encrypts a stored token with the current key.
 *
 * @returns `null` if no key opens it, or no valid key is set
 */
export async function reseal(token: string, binding: TokenBinding, secrets: EncryptionSecrets): Promise<string | null> {
  const plaintext = await unseal(token, binding, secrets);
  return plaintext === null ? null : seal(plaintext, binding, secrets);
}

/**
 * Computes a fingerprint that shows whether two tokens are equal, and nothing else: HMAC-SHA-256 with a key derived
 * from the current one. A plain hash would allow a short token to be found by trying all values.
 *
 * @returns base64; `null` if no valid key is set
 */
export async function fingerprintSecret(token: string, secrets: EncryptionSecrets): Promise<string | null> {
  const bytes = currentKey(secrets);
  if (!bytes) return null;
  const rootKey = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("parley fingerprint") },
    rootKey,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(token))));
}

const cipher = (iv: Uint8Array<ArrayBuffer>, { endpointId, connectorType, origin }: TokenBinding) => ({
  name: "AES-GCM",
  iv,
  additionalData: encoder.encode(JSON.stringify([endpointId, connectorType, origin])),
});

/** Keys of this isolate, by their base64: importing one takes longer than decrypting a token. */
const importedKeys = new Map<string, CryptoKey>();

/** A key in base64; `null` if it is not one. */
async function aesKey(encoded = ""): Promise<CryptoKey | null> {
  const imported = importedKeys.get(encoded);
  if (imported) return imported;
  const bytes = decodeKey(encoded);
  if (!bytes) return null;
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  importedKeys.set(encoded, key);
  return key;
}

async function decrypt(
  key: CryptoKey,
  payload: Uint8Array<ArrayBuffer>,
  binding: TokenBinding,
): Promise<string | null> {
  const [iv, sealed] = [payload.subarray(0, IV_BYTES), payload.subarray(IV_BYTES)];
  try {
    return decoder.decode(await crypto.subtle.decrypt(cipher(iv, binding), key, sealed));
  } catch {
    return null;
  }
}

/** The bytes of a key; `null` if it is not set, or is not 32 bytes in base64. */
function decodeKey(key: string | undefined): Uint8Array<ArrayBuffer> | null {
  const bytes = key === undefined ? null : fromBase64(key);
  return bytes?.byteLength === KEY_BYTES ? bytes : null;
}

const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
