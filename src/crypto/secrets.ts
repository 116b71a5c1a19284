/**
 * Hashing and constant-time comparison of secrets. Encryption of stored tokens is in `sealed-tokens.ts`. No I/O; keeps
 * the last compared secret in memory.
 */
const encoder = new TextEncoder();

/** Lower-case hex SHA-256 of a text. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The last secret compared, with its bytes. It is almost always the same one. */
let lastSecret = { secret: "", bytes: encoder.encode("") };

/**
 * Compares two secrets in constant time: the duration shows only whether their lengths are equal.
 * https://developers.cloudflare.com/workers/examples/protect-against-timing-attacks/
 */
export function equalSecrets(candidate: string, secret: string): boolean {
  if (lastSecret.secret !== secret) lastSecret = { secret, bytes: encoder.encode(secret) };
  const bytes = encoder.encode(candidate);
  return bytes.byteLength === lastSecret.bytes.byteLength
    ? crypto.subtle.timingSafeEqual(bytes, lastSecret.bytes)
    : !crypto.subtle.timingSafeEqual(bytes, bytes);
}
