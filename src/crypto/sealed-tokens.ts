import { secretNameOf } from "../core/endpoint.ts";

/**
 * What the operator has set: keys of 32 bytes in base64. The current one seals and opens; those of before, separated by
 * commas, open what they sealed.
 */
export interface EncryptionSecrets {
  ENCRYPTION_KEY?: string;
  ENCRYPTION_KEY_PREVIOUS?: string;
}

/** Begins every sealed token, and tells in which way it was sealed. */
const PREFIX = "sealed:1:";

const KEY_BYTES = 32;

/** The length of nonce that AES-GCM is made for: NIST SP 800-38D, 8.2. */
const IV_BYTES = 12;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const isSealed = (token: string): boolean => token.startsWith(PREFIX);

/** Whether a token is the secret itself: neither empty, nor the name of one. */
export const isSecret = (token: string): boolean => token !== "" && secretNameOf(token) === null;

/** Whether there is a key to seal with. */
export const canSeal = ({ ENCRYPTION_KEY }: EncryptionSecrets): boolean => decodeKey(ENCRYPTION_KEY) !== null;

/**
 * Seals an endpoint's token for storage: AES-256-GCM under the current key, bound to the endpoint, so that no endpoint can
 * use what was sealed for another.
 *
 * @returns `sealed:1:<base64 of IV and ciphertext>`; `null` where no good key is set
 */
export async function seal(token: string, endpointId: string, secrets: EncryptionSecrets): Promise<string | null> {
  const bytes = decodeKey(secrets.ENCRYPTION_KEY);
  if (!bytes) return null;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const key = await aesKey(bytes);
  const sealed = await crypto.subtle.encrypt(cipher(iv, endpointId), key, encoder.encode(token));
  return PREFIX + toBase64(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
}

/** @returns the token itself, of one that is not sealed too; `null` where no key that is set opens it */
export async function unseal(token: string, endpointId: string, secrets: EncryptionSecrets): Promise<string | null> {
  if (!isSealed(token)) return token;
  const payload = fromBase64(token.slice(PREFIX.length));
  const keys = [secrets.ENCRYPTION_KEY, ...(secrets.ENCRYPTION_KEY_PREVIOUS ?? "").split(",")];
  for (const bytes of payload ? keys.map(decodeKey) : []) {
    const plaintext = payload && bytes ? await decrypt(bytes, payload, endpointId) : null;
    if (plaintext !== null) return plaintext;
  }
  return null;
}

/**
 * Seals anew what is stored, so that it comes under the current key, whether it was stored plain or under a key of before.
 * What no key opens stays as it is.
 *
 * @returns `null` where no good key is set
 */
export async function reseal(token: string, endpointId: string, secrets: EncryptionSecrets): Promise<string | null> {
  const plaintext = await unseal(token, endpointId, secrets);
  if (plaintext !== null) return seal(plaintext, endpointId, secrets);
  return canSeal(secrets) ? token : null;
}

/**
 * Tells whether two tokens are the same one, and nothing else of them: HMAC-SHA-256 under a key of its own, derived from the
 * current one. A plain hash would give a short token away to whoever tries them all.
 *
 * @returns base64; `null` where no good key is set
 */
export async function fingerprintSecret(token: string, secrets: EncryptionSecrets): Promise<string | null> {
  const bytes = decodeKey(secrets.ENCRYPTION_KEY);
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

const cipher = (iv: Uint8Array, endpointId: string) => ({
  name: "AES-GCM",
  iv,
  additionalData: encoder.encode(endpointId),
});

const aesKey = (bytes: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

async function decrypt(bytes: Uint8Array, payload: Uint8Array, endpointId: string): Promise<string | null> {
  const [iv, sealed] = [payload.subarray(0, IV_BYTES), payload.subarray(IV_BYTES)];
  try {
    return decoder.decode(await crypto.subtle.decrypt(cipher(iv, endpointId), await aesKey(bytes), sealed));
  } catch {
    return null;
  }
}

/** A key's bytes; `null` for one that is not set, or is no 32 bytes in base64. */
function decodeKey(key: string | undefined): Uint8Array | null {
  const bytes = key === undefined ? null : fromBase64(key);
  return bytes?.byteLength === KEY_BYTES ? bytes : null;
}

const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

function fromBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
