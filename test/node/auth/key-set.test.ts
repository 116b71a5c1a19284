/** A caller that leaves while the identity provider's keys are read for it, in bare workerd. Others must not wait for it. */
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildBundle, startWorkerd } from "../../support/releases.node.ts";
import type { Workerd } from "../../support/releases.node.ts";

const pair = await generateKeyPair("ES256", { extractable: true });
const keySet = JSON.stringify({
  keys: [{ ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256", use: "sig" }],
});

const token = await new SignJWT({ role: "service" })
  .setProtectedHeader({ alg: "ES256", kid: "one" })
  .setIssuer("https://identity.example")
  .setAudience("parley")
  .setSubject("ada")
  .setExpirationTime("1h")
  .sign(pair.privateKey);

/** Calls for the key set that wait for their answer. */
const waiting: ServerResponse[] = [];
let calls = 0;
let provider: Server;
let workerd: Workerd;

beforeAll(async () => {
  provider = createServer((_, response) => {
    calls += 1;
    waiting.push(response);
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const bundle = await buildBundle();
  workerd = await startWorkerd(bundle, bundle, {
    JWT_JWKS_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`,
    JWT_ISSUER: "https://identity.example",
    JWT_AUDIENCE: "parley",
  });
});

afterAll(async () => {
  await workerd.stop();
  provider.closeAllConnections();
  provider.close();
});

const answerAll = () => {
  for (const response of waiting.splice(0)) response.end(keySet);
};

/** Sends a call over a connection of its own, which the caller can reset. */
function callAlone(path: string): Socket {
  const { host, hostname, port } = workerd.url;
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
  return socket;
}

const isCalled = async (count: number) => {
  while (calls < count) await sleep(10);
};

it("holds nobody up: neither those who wait already, nor those who come later", async () => {
  const leaver = callAlone("/sessions");
  await isCalled(1);
  const statusOf = async () =>
    (await fetch(new URL("/sessions", workerd.url), { headers: { authorization: `Bearer ${token}` } })).status;
  const early = [statusOf(), statusOf()];
  await sleep(100);
  leaver.resetAndDestroy();
  await sleep(500);
  const late = [statusOf(), statusOf()];
  // The key set that was asked for first is never answered.
  waiting.length = 0;
  const answering = setInterval(answerAll, 50);
  expect(await Promise.all([...early, ...late])).toEqual([200, 200, 200, 200]);
  clearInterval(answering);
  expect(await statusOf()).toBe(200);
});
