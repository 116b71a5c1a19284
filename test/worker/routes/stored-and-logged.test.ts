/** What a thief of the database or a reader of the log finds of tokens and of messages: nothing that opens anything. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../../src/crypto/secrets.ts";
import { ADMIN_KEY, del, get, post, put } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";
import { connect, followEvents, upgrade } from "../../support/follow.ts";
import { setVariables } from "../../support/settings.ts";
import { everythingStored } from "../../support/stored.ts";

afterEach(() => vi.restoreAllMocks());

/** A session of a client with a token of each kind, which all have been used once; one more ticket is not used. */
async function useTokens() {
  const clientId = await createClient();
  const id = await createSession({ clientId });
  const once = { headers: { "idempotency-key": crypto.randomUUID() } };
  const service: string = (await post("/keys", { name: "server", role: "service" }, once)).body.data.key;
  const client: string = (await post("/keys", { name: "app", role: "client", clientId }, once)).body.data.key;
  const jwt = await signClientToken(clientId);
  for (const token of [service, client, jwt]) {
    expect((await get(`/sessions/${id}`, { token })).status).toBe(200);
    const message = { role: "user", content: "hi" };
    const headers = { "idempotency-key": "once" };
    expect((await post(`/sessions/message?sessionId=${id}`, { message }, { token, headers })).status).toBe(200);
    await (await connect(`/sessions/${id}/ws`, { token })).next("session-snapshot");
  }
  const ticket = async (token: string): Promise<string> =>
    (await post(`/sessions/${id}/tickets`, undefined, { token, headers: once.headers })).body.data.ticket;
  const [used, unused] = [await ticket(client), await ticket(jwt)];
  await (await connect(`/sessions/${id}/ws?ticket=${used}`, { token: null })).next("session-snapshot");
  return { id, keys: [service, client], jwt, used, unused };
}

describe("what is stored of a token", () => {
  it("is the hash of a key and of a ticket that was not used, and nothing of another one", async () => {
    const { id, keys, jwt, used, unused } = await useTokens();
    const everything = await everythingStored(id);
    for (const token of [...keys, unused]) expect(everything).toContain(await sha256Hex(token));
    // Without the prefix, which says only what kind of a token it is.
    for (const token of [...keys, used, unused]) expect(everything).not.toContain(token.split("_")[1]);
    for (const part of jwt.split(".")) expect(everything).not.toContain(part);
    expect(everything).not.toContain(await sha256Hex(used));
  });
});

describe("what is logged", () => {
  it("has no token, no text of a message and no SQL, whatever goes wrong", async () => {
    const lines: string[] = [];
    for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const)
      vi.spyOn(console, method).mockImplementation((...given: unknown[]) => {
        lines.push(given.map((each) => (each instanceof Error ? each.stack : JSON.stringify(each))).join(" "));
      });
    setVariables({ LOG_SAMPLING: "1" });
    const { id, keys, jwt, used, unused } = await useTokens();
    const [service = ""] = keys;
    const text = crypto.randomUUID();
    const failing = await createChatbot({ params: { fail: 500 } });
    const failed = await createSession({ chatbotId: failing, title: text });
    await post(`/sessions/chat?sessionId=${failed}`, { content: text }, { token: service });
    const socket = await connect(`/sessions/${failed}/ws`, { token: service });
    socket.send(text);
    await socket.next("failure");
    // Refused: a token that is not known, a ticket that was used, one of another session, and a token in a subprotocol.
    await get(`/sessions?searchString=${text}`, { token: `parley_${text}` });
    for (const ticket of [used, unused]) await get(`/sessions/${failed}/events?ticket=${ticket}`, { token: null });
    await upgrade(`/sessions/${id}/ws`, { token: null, headers: { "sec-websocket-protocol": `bearer.${service}` } });
    await (await followEvents(`/sessions/${id}/events?ticket=${unused}`, undefined, { token: null })).cut();
    // A fault within D1, whose errors hold the statement and its values.
    await env.DB.exec("ALTER TABLE clients RENAME TO clients_before");
    expect((await get(`/clients?searchString=${text}`, { token: service })).status).toBe(503);
    expect((await put("/clients/by-external-id/app-1", { name: text }, { token: service })).status).toBe(503);
    await env.DB.exec("ALTER TABLE clients_before RENAME TO clients");
    await del(`/sessions/${failed}`, { token: service });

    const log = lines.join("\n");
    const events = ["key-created", "sign-in-failed", "unexpected-error", "session-deleted", '"call"'];
    for (const event of events) expect(log).toContain(event);
    for (const secret of [ADMIN_KEY, ...keys, jwt, used, unused, text])
      expect(log).not.toContain(secret.split("_").at(-1));
    expect(log).not.toMatch(/\b(select|insert into|update|delete from)\b.*\b(where|values|set|from)\b/i);
  });
});
