/** An identity provider for tests of JWTs: key sets over HTTP, and the private keys to sign with. Runs in Node. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import type { JWK } from "jose";
import type { TestProject } from "vitest/node";

/** A private key, as the identity provider signs with it. */
export type SigningKey = JWK & { kid: string; alg: "RS256" | "ES256" | "PS256" };

/** How often each scene's key set was requested. */
const asked = new Map<string, number>();

/**
 * Starts an identity provider on loopback. `/<scene>/keys` is a key set, `/<scene>/asked` is how often it was requested. A scene
 * that begins with `growing` has one more key from the second request on. One that begins with `down` fails.
 */
export default async function startIdentityProvider(project: TestProject): Promise<() => void> {
  const [rsa, ec, fresh, pss] = await Promise.all([
    signingKey("RS256", "rsa"),
    signingKey("ES256", "ec"),
    signingKey("ES256", "new"),
    signingKey("PS256", "pss"),
  ]);
  const server = createServer((request, answer) => {
    const [, scene = "", what] = (request.url ?? "").split("/");
    const times = asked.get(scene) ?? 0;
    const respond = (httpStatus: number, body: unknown) => {
      answer.writeHead(httpStatus, { "content-type": "application/json" });
      answer.end(JSON.stringify(body));
    };
    if (what === "asked") return respond(200, times);
    asked.set(scene, times + 1);
    if (scene.startsWith("down")) return respond(500, {});
    const known = scene.startsWith("growing") && times > 0 ? [rsa, ec, pss, fresh] : [rsa, ec, pss];
    return respond(200, { keys: known.map(({ publicKey }) => publicKey) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("identityProvider", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  project.provide("signingKeys", {
    rsa: rsa.privateKey,
    ec: ec.privateKey,
    fresh: fresh.privateKey,
    pss: pss.privateKey,
  });
  return () => {
    server.closeAllConnections();
    server.close();
  };
}

async function signingKey(alg: SigningKey["alg"], kid: string): Promise<{ publicKey: JWK; privateKey: SigningKey }> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return {
    publicKey: { ...(await exportJWK(pair.publicKey)), kid, alg, use: "sig" },
    privateKey: { ...(await exportJWK(pair.privateKey)), kid, alg },
  };
}
