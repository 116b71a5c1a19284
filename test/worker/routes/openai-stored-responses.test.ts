/** What becomes of responses that are stored: they are deleted by their ids, and referred to in later calls. */
import type OpenAI from "openai";
import type { Response as OpenaiResponse } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

/** A chatbot, and a client that is named in each call. */
async function stored(chatbot: Record<string, unknown> = {}) {
  const clientId = await createClient();
  const model = `chatbot:${await createChatbot({ endpointId: await createEndpoint(), ...chatbot })}`;
  const { client } = openaiClient(undefined, { maxRetries: 0 });
  return { client, base: { model, metadata: { client_id: clientId } }, model, clientId };
}

const keyOf = async (clientId: string): Promise<string> =>
  (await post("/keys", { name: "k", role: "client", clientId })).body.data.key;

const sessionOf = (response: OpenaiResponse): string => response.conversation?.id ?? "";

const shownIn = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}`)).body.data.messages.map(
    ({ role, content }: { role: string; content: string }) => `${role}: ${content}`,
  );

describe("a response that is stored", () => {
  it("is deleted by its id: nothing finds it, and the turn stays in its session", async () => {
    const { client, base, model } = await stored();
    const first = await client.responses.create({ ...base, input: "1" });
    const second = await client.responses.create({ ...base, input: "2", previous_response_id: first.id });
    const foreign = openaiClient(await keyOf(await createClient())).client;
    expect(await errorOf(foreign.responses.delete(first.id))).toMatchObject({ status: 404 });
    const { status, body } = await del(`/openai/v1/responses/${first.id}`);
    expect([status, body]).toEqual([200, { id: first.id, object: "response", deleted: true }]);
    const id = sessionOf(first);
    const expectGone = async () => {
      for (const call of [
        () => client.responses.retrieve(first.id),
        () => client.responses.retrieve(first.id, { stream: true }),
        () => client.responses.cancel(first.id),
        () => client.responses.delete(first.id),
      ])
        expect(await errorOf(call())).toMatchObject({ status: 404, code: "not_found" });
    };
    await expectGone();
    const previous = client.responses.create({ ...base, input: "x", previous_response_id: first.id });
    expect(await errorOf(previous)).toMatchObject({ status: 400, code: "previous_response_not_found" });
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: 2", "assistant: 2"]);
    expect((await client.responses.retrieve(second.id)).output_text).toBe("2");
    await client.responses.create({ model, input: "3", conversation: id });
    // D1 knows it too, and the object once it has read the session from there.
    await post(`/sessions/${id}/end`);
    await expectGone();
    await del(`/openai/v1/responses/${second.id}`);
    expect(await errorOf(client.responses.retrieve(second.id))).toMatchObject({ status: 404 });
    await put(`/sessions/${id}`, { status: "ACTIVE" });
    await expectGone();
    expect(await shownIn(id)).toHaveLength(6);
  });

  it("can be deleted while its turn runs, which goes on", async () => {
    const { id: endpointId } = await endpointPlaying("hello.slow");
    const { client, base } = await stored({ endpointId });
    const stream = await client.responses.create({ ...base, input: "1", stream: true });
    let text = "";
    let id = "";
    for await (const event of stream) {
      if (event.type === "response.created") id = sessionOf(event.response);
      if (event.type === "response.created") await client.responses.delete(event.response.id);
      if (event.type === "response.completed") text = event.response.output.length === 1 ? "whole" : "";
    }
    expect(text).toBe("whole");
    expect(await shownIn(id)).toHaveLength(2);
  });
});

describe("an answer that is stored", () => {
  it("is referred to by the id of its answer, or sent back as it came", async () => {
    const { id: model, received } = await endpointPlaying("hello");
    const { client } = openaiClient();
    const first = await client.responses.create({ model, input: "1" });
    const answer = "Hello! How can I assist you today? 🎉";
    const history = [
      { role: "user", content: "1" },
      { role: "assistant", content: answer },
      { role: "user", content: "2" },
    ];
    const [item] = first.output;
    const asked = { type: "message" as const, role: "user" as const, content: "1" };
    const next = { role: "user" as const, content: "2" };
    const id = item?.id ?? "";
    for (const input of [
      [asked, { type: "item_reference" as const, id }, next],
      [asked, { id }, next],
      // Not all that an answer may have in OpenAI's types is an input in them.
      [asked, ...(first.output as OpenAI.Responses.ResponseOutputMessage[]), next],
    ])
      for (const store of [true, false]) {
        await client.responses.create({ model, input, store });
        expect((await received())[0]?.body["messages"]).toEqual(history);
      }
  });

  it("is not referred to where it is not there to read", async () => {
    const { client, base, clientId } = await stored();
    const { output, id } = await client.responses.create({ ...base, input: "1" });
    const reference = { type: "item_reference" as const, id: output[0]?.id ?? "" };
    const ask = (from: OpenAI, ...items: object[]) =>
      errorOf(from.responses.create({ model: base.model, input: [...items, { role: "user", content: "x" }] as never }));
    const refused = (at: number) => ({ status: 400, code: "unsupported_content", param: `input[${at}].id` });
    const foreign = openaiClient(await keyOf(await createClient())).client;
    expect(await ask(foreign, reference)).toMatchObject(refused(0));
    expect(await ask(client, { role: "user", content: "1" }, { type: "item_reference", id: "rs_1" })).toMatchObject(
      refused(1),
    );
    expect(await ask(client, { type: "item_reference" })).toMatchObject(refused(0));
    expect(await ask(client, {})).toMatchObject(refused(0));
    const many = Array.from({ length: 101 }, (_, index) => ({ type: "item_reference", id: `msg_${index}` }));
    expect(await ask(client, ...many)).toMatchObject({ status: 400, param: "input" });
    // A client adds messages of the user only, its chatbot's words are none of them.
    const own = openaiClient(await keyOf(clientId)).client;
    expect(await ask(own, reference)).toMatchObject({ status: 400, code: "invalid_input", param: "input" });
    await client.responses.delete(id);
    expect(await ask(client, reference)).toMatchObject(refused(0));
  });
});
