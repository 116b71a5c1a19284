/** Tokens of the identity provider that plays in tests, for end users. */
import { importJWK, SignJWT } from "jose";
import { inject } from "vitest";
import { setVariables } from "./settings.ts";

const ISSUER = "https://identity.example";
const AUDIENCE = "parley";

/** Accepts JWTs for the rest of the test. @returns a JWT of role `client` that names a client */
export async function signClientToken(clientId: string): Promise<string> {
  const scene = `steady-${crypto.randomUUID()}`;
  const keySet = `${inject("identityProvider")}/${scene}/keys`;
  setVariables({ JWT_JWKS_URL: keySet, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
  const { kid, alg, ...jwk } = inject("signingKeys").rsa;
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: `user of ${clientId}`, role: "client", client_id: clientId };
  const exp = Math.floor(Date.now() / 1000) + 300;
  return new SignJWT({ ...claims, exp }).setProtectedHeader({ alg, kid }).sign(await importJWK(jwk, alg));
}
