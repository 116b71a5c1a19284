/** Who reads a running reply of OpenAI's API too slowly: the stream says so, and the reply goes on. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { ADMIN_KEY, post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { openaiClient } from "../../support/openai.ts";

/** A response that is written slowly. */
async function startResponse() {
  const endpointId = await createEndpoint({ params: { tokens_per_second: 20 } });
  const model = `chatbot:${await createChatbot({ endpointId })}`;
  const { client } = openaiClient();
  const asked = { model, metadata: { client_id: await createClient() }, input: "one two three ".repeat(300) };
  const answer = await client.responses.create({ ...asked, stream: true });
  const { value: first } = await answer[Symbol.asyncIterator]().next();
  const { response } = first as Extract<ResponseStreamEvent, { type: "response.created" }>;
  return { client, id: response.id, sessionId: response.conversation?.id ?? "" };
}

/** A stream that nobody reads yet. The runtime's own way to the Worker would read it by itself. */
const follow = async (id: string): Promise<Response> =>
  app.fetch(
    new Request(`http://parley.test/openai/v1/responses/${id}?stream=true`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    }),
    env,
    createExecutionContext(),
  );

async function append(sessionId: string, messages: number): Promise<void> {
  const message = { role: "user", content: "y".repeat(100_000) };
  for (let n = 0; n < messages; n += 1)
    await post(`/sessions/message?sessionId=${sessionId}`, { message }, { headers: { prefer: "return=minimal" } });
}

const numberOf = (event: object | undefined): number => Number(Reflect.get(event ?? {}, "sequence_number"));

it.each<[string, (id: string, sessionId: string) => Promise<unknown>]>([
  // 6 MiB may wait for one reader.
  ["too much waits", (_, sessionId) => append(sessionId, 68)],
  [
    "it takes nothing for a minute",
    async (id, sessionId) => {
      await append(sessionId, 3);
      const now = Date.now.bind(Date);
      const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 61_000);
      // One more than a caller may have: the session looks for readers who have left.
      const others = await Promise.all(Array.from({ length: 20 }, () => follow(id)));
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
      clock.mockRestore();
      await Promise.all(others.map(async ({ body }) => body?.cancel()));
    },
  ],
])("ends with an error when %s, and the reader resumes behind its last event", async (_, wait) => {
  const { client, id, sessionId } = await startResponse();
  const stream = await follow(id);
  await wait(id, sessionId);
  const events = [...(await stream.text()).matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
  const after = numberOf(events.at(-2));
  expect(events.at(-1)).toMatchObject({
    type: "error",
    sequence_number: after,
    error: {
      type: "server_error",
      code: "reader_too_slow",
      message: expect.stringMatching(new RegExp(`^This stream was read too slowly.* starting_after=${after}$`)),
    },
  });
  expect(await client.responses.retrieve(id)).toMatchObject({ status: "in_progress" });
  const resumed = await client.responses.retrieve(id, { stream: true, starting_after: after });
  const { value: next } = await resumed[Symbol.asyncIterator]().next();
  expect(next).toMatchObject({ type: "response.output_text.delta", sequence_number: after + 1 });
  await client.responses.cancel(id);
});
