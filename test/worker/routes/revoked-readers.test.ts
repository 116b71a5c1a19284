/** Who reads a running reply by OpenAI's API or the AI SDK while the token is revoked: the stream says so, and the reply goes on. */
import { exports } from "cloudflare:workers";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { expect, it } from "vitest";
import { del, post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { openaiClient } from "../../support/openai.ts";
import { openChat } from "../../support/ai-sdk.ts";

const TEXT = "one two three ".repeat(50);

const MESSAGE = /^This token is no longer valid/;

/** A session of a client with a slow chatbot, and a token of that client. */
async function conversation() {
  const clientId = await createClient();
  const endpointId = await createEndpoint({ params: { tokens_per_second: 20 } });
  const chatbotId = await createChatbot({ endpointId });
  const { key, id: keyId } = (await post("/keys", { name: "end user", role: "client", clientId })).body.data;
  return { clientId, chatbotId, key: key as string, keyId: keyId as string };
}

it("OpenAI's client raises the error of a bad token, and a valid one resumes behind the last event", async () => {
  const { clientId, chatbotId, key, keyId } = await conversation();
  const asked = { model: `chatbot:${chatbotId}`, metadata: { client_id: clientId }, input: TEXT };
  const { client: admin } = openaiClient();
  const answer = await admin.responses.create({ ...asked, stream: true });
  const first = (await answer[Symbol.asyncIterator]().next()).value as ResponseStreamEvent;
  const { id } = (first as Extract<ResponseStreamEvent, { type: "response.created" }>).response;
  const seen: ResponseStreamEvent[] = [];
  let error: unknown = null;
  try {
    for await (const event of await openaiClient(key).client.responses.retrieve(id, { stream: true })) {
      if (seen.push(event) === 8) expect((await del(`/keys/${keyId}`)).status).toBe(200);
    }
  } catch (error_) {
    error = error_;
  }
  expect(error).toMatchObject({ code: "invalid_api_key", type: "authentication_error" });
  expect(error).toMatchObject({ message: expect.stringMatching(MESSAGE) });
  expect(await admin.responses.retrieve(id)).toMatchObject({ status: "in_progress" });
  const after = seen.length - 1;
  const resumed = await admin.responses.retrieve(id, { stream: true, starting_after: after });
  const next = (await resumed[Symbol.asyncIterator]().next()).value as ResponseStreamEvent;
  expect(next.sequence_number).toBe(after + 1);
  await admin.responses.cancel(id);
});

it("the AI SDK's chat has the error, and the reply goes on", async () => {
  const { clientId, chatbotId, key, keyId } = await conversation();
  const id = await createSession({ chatbotId, clientId });
  const { chat } = openChat(id);
  const sent = chat.sendMessage({ text: TEXT });
  await expect.poll(() => chat.messages.length, { timeout: 30_000 }).toBe(2);
  const stream = await exports.default.fetch(`http://parley.test/ui/chat/${id}/stream`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect((await del(`/keys/${keyId}`)).status).toBe(200);
  const parts = (await stream.text()).trim().split("\n\n");
  expect(parts.at(-1)).toBe("data: [DONE]");
  const last = JSON.parse(parts.at(-2)?.slice("data: ".length) ?? "");
  expect(last).toEqual({ type: "error", errorText: expect.stringMatching(MESSAGE) });
  expect((await post(`/sessions/${id}/stop`)).body.data).toMatchObject({ stopped: true });
  await sent;
});
