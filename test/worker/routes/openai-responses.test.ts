/** Responses by OpenAI's own client, against a provider that plays recorded answers. */
import { env, exports } from "cloudflare:workers";
import OpenAI from "openai";
import type { Response as OpenaiResponse, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, createSession } from "../../support/create.ts";
import { kept } from "../../support/kept.ts";
import { crash } from "../../support/faults.ts";
import { endpointPlaying, errorOf, openaiClient } from "../../support/openai.ts";

const TEXT = "Hello! How can I assist you today? 🎉";

const USAGE = {
  input_tokens: 19,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 29,
};

describe("a response that is not stored", () => {
  it("has OpenAI's shape, and leaves nothing", async () => {
    const { id } = await endpointPlaying("hello");
    const before = await kept();
    const { client } = openaiClient();
    const response: OpenaiResponse = await client.responses.create({
      model: id,
      input: "Hello",
      instructions: "Be brief.",
      metadata: { topic: "a" },
      store: false,
    });
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
      object: "response",
      model: id,
      status: "completed",
      error: null,
      incomplete_details: null,
      instructions: "Be brief.",
      metadata: { topic: "a" },
      store: false,
      output_text: TEXT,
      output: [
        { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: TEXT }] },
      ],
      usage: USAGE,
    });
    expect(await kept()).toEqual(before);
    await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("sends instructions, messages and the longest reply to the provider", async () => {
    const { id, received } = await endpointPlaying("hello");
    const { client, calls } = openaiClient();
    await client.responses.create({
      model: id,
      store: false,
      instructions: "Be brief.",
      temperature: 0.5,
      max_output_tokens: 20,
      input: [
        { role: "user", content: "1" },
        { role: "assistant", content: [{ type: "output_text", text: "2", annotations: [] }] } as never,
        { type: "message", role: "user", content: [{ type: "input_text", text: "3" }] },
      ],
    });
    const [sent] = await received();
    expect(sent?.body).toMatchObject({
      temperature: 0.5,
      max_tokens: 20,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "1" },
        { role: "assistant", content: "2" },
        { role: "user", content: "3" },
      ],
    });
    expect(sent?.body).not.toHaveProperty("max_output_tokens");
    expect(calls[0]?.headers.get("x-parley-body-sha256")).toMatch(/^[0-9a-f]{64}$/);
    const chatbot = await createChatbot({ endpointId: id, params: { max_completion_tokens: 100 } });
    await client.responses.create({ model: `chatbot:${chatbot}`, store: false, max_output_tokens: 9, input: "x" });
    expect((await received())[0]?.body).toMatchObject({ max_completion_tokens: 9 });
  });

  it("streams in OpenAI's events, which its library puts together", async () => {
    const { id } = await endpointPlaying("hello");
    const { client } = openaiClient();
    const events: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model: id, input: "x", store: false, stream: true }))
      events.push(event);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { usage: USAGE } });
    const final = await client.responses.stream({ model: id, input: "x", store: false }).finalResponse();
    expect(final.output_text).toBe(TEXT);
  });

  it("that fails before its first text has a status; later, its stream ends with response.failed", async () => {
    const refused = await endpointPlaying("429:long", { params: { max_attempts: 1 } });
    const { client } = openaiClient(undefined, { maxRetries: 0 });
    for (const stream of [false, true])
      expect(
        await errorOf(client.responses.create({ model: refused.id, input: "x", store: false, stream })),
      ).toBeInstanceOf(OpenAI.RateLimitError);
    const broken = await endpointPlaying("hello.reset", { params: { max_attempts: 1 } });
    const events: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({
      model: broken.id,
      input: "x",
      store: false,
      stream: true,
    }))
      events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "server_error" } },
    });
    expect(events.filter(({ type }) => type === "response.output_text.delta").length).toBeGreaterThan(0);
    expect(await errorOf(client.responses.create({ model: broken.id, input: "x", store: false }))).toMatchObject({
      status: 502,
      code: "connection_lost",
    });
  });

  it("ends as incomplete where the provider stopped early", async () => {
    const { client } = openaiClient();
    for (const [scene, reason] of [
      ["length", "max_output_tokens"],
      ["filtered", "content_filter"],
    ] as const) {
      const { id } = await endpointPlaying(scene);
      const response = await client.responses.create({ model: id, input: "x", store: false });
      expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason } });
    }
  });
});

/** A chatbot on an echo endpoint, and a client that is named in each call. */
async function stored(chatbot: Record<string, unknown> = {}, endpoint: Record<string, unknown> = {}) {
  const clientId = await createClient();
  const model = `chatbot:${await createChatbot({ endpointId: await createEndpoint(endpoint), ...chatbot })}`;
  const { client, calls } = openaiClient(undefined, { maxRetries: 0 });
  const base = { model, metadata: { client_id: clientId } };
  return { client, calls, base, model, clientId };
}

const sessionOf = (response: OpenaiResponse): string => response.conversation?.id ?? "";

const shownIn = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}/messages?tree=true`)).body.data.messages
    .filter(({ active }: { active: boolean }) => active)
    .map(({ role, content }: { role: string; content: string }) => `${role}: ${content}`);

/** Of all messages, whatever path they are on. */
const rolesIn = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}/messages?tree=true`)).body.data.messages.map(({ role }: { role: string }) => role);

const eventsOf = async (stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> => {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
};

describe("a response that is stored", () => {
  it("makes a session, and is read by its id", async () => {
    const { client, base, calls } = await stored();
    const response = await client.responses.create({ ...base, input: "1", instructions: "Be brief." });
    expect(response.id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(response).toMatchObject({ status: "completed", store: true, output_text: "1", instructions: "Be brief." });
    expect(calls[0]?.headers.get("x-parley-session")).toBe(sessionOf(response));
    expect(await shownIn(sessionOf(response))).toEqual(["user: 1", "assistant: 1"]);
    expect(await client.responses.retrieve(response.id)).toMatchObject(response);
    expect((await get(`/sessions/${sessionOf(response)}`)).body.data.metadata).toBeUndefined();
  });

  it("is gone on with by previous_response_id, as a variant if something followed it", async () => {
    const { client, base } = await stored();
    const first = await client.responses.create({ ...base, input: "1" });
    const second = await client.responses.create({ ...base, input: "2", previous_response_id: first.id });
    expect(second).toMatchObject({ previous_response_id: first.id, conversation: first.conversation });
    const id = sessionOf(first);
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: 2", "assistant: 2"]);
    const other = await client.responses.create({ ...base, input: "zwei", previous_response_id: first.id });
    expect(sessionOf(other)).toBe(id);
    expect(await shownIn(id)).toEqual(["user: 1", "assistant: 1", "user: zwei", "assistant: zwei"]);
    await client.responses.create({ ...base, input: "3", previous_response_id: second.id });
    expect(await shownIn(id)).toEqual([
      "user: 1",
      "assistant: 1",
      "user: 2",
      "assistant: 2",
      "user: 3",
      "assistant: 3",
    ]);
    for (const previous of ["resp_x", `resp_${"0".repeat(48)}`, `resp_${id}${"0".repeat(24)}`])
      expect(
        await errorOf(client.responses.create({ ...base, input: "x", previous_response_id: previous })),
      ).toMatchObject({ status: 400, code: "previous_response_not_found", param: "previous_response_id" });
  });

  it("follows the conversation that is named", async () => {
    const { client, base, model } = await stored();
    const first = await client.responses.create({ ...base, input: "1" });
    const id = sessionOf(first);
    for (const conversation of [id, { id }])
      expect(sessionOf(await client.responses.create({ model, input: "2", conversation }))).toBe(id);
    const input = [
      { role: "user" as const, content: "a" },
      { role: "assistant" as const, content: "b" },
      { role: "user" as const, content: "c" },
    ];
    await client.responses.create({ model, input, conversation: id });
    expect((await shownIn(id)).slice(6)).toEqual(["user: a", "assistant: b", "user: c", "assistant: c"]);
    const both = client.responses.create({ model, input: "x", conversation: id, previous_response_id: first.id });
    expect(await errorOf(both)).toMatchObject({ status: 400, param: "conversation" });
    const unstored = client.responses.create({ model, input: "x", conversation: id, store: false });
    expect(await errorOf(unstored)).toMatchObject({ status: 400, param: "store" });
    const unknown = client.responses.create({ model, input: "x", conversation: "0".repeat(24) });
    expect(await errorOf(unknown)).toMatchObject({ status: 404 });
    const mismatch = client.responses.create({
      model: `chatbot:${await createChatbot()}`,
      input: "x",
      conversation: id,
    });
    expect(await errorOf(mismatch)).toMatchObject({ status: 400, code: "model_mismatch" });
  });

  it("is not stored where nothing says whose it would be, and says so", async () => {
    const { client } = openaiClient();
    const model = `chatbot:${await createChatbot()}`;
    const before = await kept();
    expect(await client.responses.create({ model, input: "x" })).toMatchObject({ store: false, output_text: "x" });
    const named = client.responses.create({ model, input: "x", store: true });
    expect(await errorOf(named)).toMatchObject({ status: 400, param: "store" });
    expect(await kept()).toEqual(before);
  });

  it("has the same numbered events when its stream is resumed, during the turn and after it", async () => {
    const { id: endpointId } = await endpointPlaying("hello.slow");
    const { client, base } = await stored({ endpointId });
    const stream = await client.responses.create({ ...base, input: "1", stream: true });
    const live: ResponseStreamEvent[] = [];
    let resumed: Promise<ResponseStreamEvent[]> | null = null;
    let id = "";
    for await (const event of stream) {
      live.push(event);
      if (event.type === "response.created") ({ id } = event.response);
      if (event.type === "response.output_text.delta")
        resumed ??= client.responses.retrieve(id, { stream: true, starting_after: 2 }).then(eventsOf);
    }
    expect(live.map(({ sequence_number: number }) => number)).toEqual(live.map((_, index) => index));
    expect((await resumed) ?? []).toEqual(live.slice(3));
    for (const after of [0, 5, live.length - 2]) {
      const again = await client.responses.retrieve(id, { stream: true, starting_after: after });
      expect(await eventsOf(again)).toEqual(live.slice(after + 1));
    }
    expect(await eventsOf(await client.responses.retrieve(id, { stream: true }))).toEqual(live);
  });

  it("that broke off in a crash ends for a reader who saw more of it than was kept", async () => {
    const { id: endpointId } = await endpointPlaying("hello.stall");
    const { client, base } = await stored({ endpointId });
    const live: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ ...base, input: "1", stream: true })) {
      live.push(event);
      if (live.filter(({ type }) => type === "response.output_text.delta").length !== 3) continue;
      const { response } = live[0] as OpenAI.Responses.ResponseCreatedEvent;
      await crash(sessionOf(response));
    }
    const { response } = live[0] as OpenAI.Responses.ResponseCreatedEvent;
    const behind = async (after: number) =>
      eventsOf(await client.responses.retrieve(response.id, { stream: true, starting_after: after }));
    const failed = { type: "response.failed", response: { id: response.id, status: "failed" } };
    const [end, ...more] = await behind(3);
    expect(more).toEqual([]);
    expect(end).toMatchObject({ ...failed, sequence_number: 4 });
    expect(live.at(-2)).toMatchObject({ type: "response.output_text.delta", sequence_number: live.length - 2 });
    // Number 4 was that of the first text. A connection may have broken off behind any of them.
    for (const { sequence_number: after } of live.slice(4))
      expect(await behind(after)).toMatchObject([{ ...failed, sequence_number: after + 1 }]);
  });

  it("has followers, as its session has: each is recorded, and one too many is refused", async () => {
    const { client, base, clientId } = await stored({}, { params: { tokens_per_second: 20 } });
    const token = (await post("/keys", { name: "end user", role: "client", clientId })).body.data.key;
    const answer = await client.responses.create({ ...base, input: "one two ".repeat(100), stream: true });
    const first = await answer[Symbol.asyncIterator]().next();
    const { response } = first.value as { response: OpenaiResponse };
    const open = () =>
      exports.default.fetch(`http://parley.test/openai/v1/responses/${response.id}?stream=true`, {
        headers: { authorization: `Bearer ${token}` },
      });
    const streams = await Promise.all(Array.from({ length: 20 }, open));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await open()).status).toBe(429);
    const recorded = env.DB.prepare("select count(*) as n from subscriptions where session_id = ?");
    expect(await recorded.bind(sessionOf(response)).first("n")).toBe(1);
    await client.responses.cancel(response.id);
  });

  it("is stopped by its id: its stream ends as incomplete, and it stays cancelled", async () => {
    const { id: endpointId } = await endpointPlaying("hello.stall");
    const { client, base } = await stored({ endpointId });
    const events: ResponseStreamEvent[] = [];
    let cancelled: Promise<OpenaiResponse> | null = null;
    for await (const event of await client.responses.create({ ...base, input: "1", stream: true })) {
      events.push(event);
      if (event.type !== "response.output_text.delta" || cancelled) continue;
      const { response } = events[0] as OpenAI.Responses.ResponseCreatedEvent;
      expect((await client.responses.retrieve(response.id)).status).toBe("in_progress");
      cancelled = client.responses.cancel(response.id);
    }
    expect(events.at(-1)).toMatchObject({ type: "response.incomplete", response: { status: "cancelled" } });
    const response = await cancelled;
    expect(response?.status).toBe("cancelled");
    expect(response?.output_text).not.toBe("");
    expect(await client.responses.retrieve(response?.id ?? "")).toMatchObject({ status: "cancelled" });
    expect(await client.responses.cancel(response?.id ?? "")).toMatchObject({ status: "cancelled" });
  });

  it("that failed says so, also afterwards", async () => {
    const { id: endpointId } = await endpointPlaying("400");
    const { client, base, calls } = await stored({ endpointId });
    expect(await errorOf(client.responses.create({ ...base, input: "1" }))).toMatchObject({ status: 400 });
    const id = calls[0]?.headers.get("x-parley-session") ?? "";
    const [reply] = (await get(`/sessions/${id}/export`)).body.trim().split("\n").map(JSON.parse);
    expect(reply.error_code ?? reply.error.code).toBe("provider_rejected");
    const turns = env.DB.prepare("select turn_id from turns where session_id = ?");
    const turnId = await turns.bind(id).first<string>("turn_id");
    expect(await client.responses.retrieve(`resp_${id}${turnId ?? ""}`)).toMatchObject({
      status: "failed",
      error: { code: "invalid_prompt" },
      output: [],
    });
  });

  it.each([false, true])("has the wait that its provider asks for, streamed: %s", async (stream) => {
    const { id: endpointId } = await endpointPlaying("429:long", { params: { max_attempts: 1 } });
    const { client, base } = await stored({ endpointId });
    const error = await errorOf(client.responses.create({ ...base, input: "1", stream }));
    expect([error.status, error.headers?.get("retry-after")]).toEqual([429, "500"]);
  });

  it.each([["400"], ["hello.reset"]])("is asked for again under its key, in the same place: %s", async (scene) => {
    const { id: endpointId, received } = await endpointPlaying(scene, { params: { max_attempts: 1 } });
    const working = await createEndpoint();
    const chatbotId = await createChatbot({ endpointId: working });
    const model = `chatbot:${chatbotId}`;
    const metadata = { client_id: await createClient() };
    const first = (await post("/openai/v1/responses", { model, input: "0", metadata })).body;
    const session = first.conversation.id;
    await put(`/chatbots/${chatbotId}`, { endpointId });
    for (const place of [{ conversation: session }, { previous_response_id: first.id }]) {
      const before = await rolesIn(session);
      const input = crypto.randomUUID();
      const headers = { "idempotency-key": input };
      for (let time = 0; time < 3; time += 1)
        await post("/openai/v1/responses", { model, input, stream: time === 1, ...place }, { headers });
      const added = (await rolesIn(session)).slice(before.length);
      expect(added.filter((role) => role === "user")).toHaveLength(1);
      const bodies = (await received()).slice(-3).map(({ body }) => JSON.stringify(body["messages"]));
      expect(new Set(bodies).size).toBe(1);
    }
  });

  it.each([["400"], ["hello.reset"]])(
    "that failed is asked for again without a key, in the same place: %s",
    async (scene) => {
      const { id: endpointId, received } = await endpointPlaying(scene, { params: { max_attempts: 1 } });
      const chatbotId = await createChatbot({ endpointId: await createEndpoint() });
      const model = `chatbot:${chatbotId}`;
      const first = (
        await post("/openai/v1/responses", { model, input: "0", metadata: { client_id: await createClient() } })
      ).body;
      const session = first.conversation.id;
      for (const place of [{ conversation: session }, { previous_response_id: first.id }]) {
        const input = crypto.randomUUID();
        await put(`/chatbots/${chatbotId}`, { endpointId });
        for (const stream of [false, true, false])
          await post("/openai/v1/responses", { model, input, stream, ...place });
        const sent = (await received()).slice(-3).map(({ body }) => JSON.stringify(body["messages"]));
        expect(new Set(sent).size).toBe(1);
        await put(`/chatbots/${chatbotId}`, { endpointId: await createEndpoint() });
        await post("/openai/v1/responses", { model, input, ...place });
        const asked = async () => (await shownIn(session)).filter((message) => message === `user: ${input}`);
        expect([await asked(), (await shownIn(session)).at(-1)]).toEqual([[`user: ${input}`], `assistant: ${input}`]);
        // Once it is answered, it is a new message.
        await post("/openai/v1/responses", { model, input, conversation: session });
        expect(await asked()).toHaveLength(2);
      }
    },
  );

  it("is joined by the same call without a key while its turn runs, and not by one under a key", async () => {
    const { model, clientId } = await stored({}, { params: { delay_ms: 1_000 } });
    const session = await createSession({ chatbotId: model.replace("chatbot:", ""), clientId });
    const ask = (headers = {}) =>
      post("/openai/v1/responses", { model, input: "1", conversation: session }, { headers });
    const first = ask();
    await expect.poll(() => shownIn(session)).toEqual(["user: 1"]);
    const under = ask({ "idempotency-key": crypto.randomUUID() });
    const [one, two, other] = await Promise.all([first, ask(), under]);
    expect(two.body.id).toBe(one.body.id);
    expect(other.body.id).not.toBe(one.body.id);
    expect(await shownIn(session)).toEqual(["user: 1", "assistant: 1", "user: 1", "assistant: 1"]);
  });

  it("names its session in conversation, and not by header", async () => {
    const { base } = await stored();
    const headers = { "x-parley-session": "0".repeat(24) };
    const before = await kept();
    const { status, body } = await post("/openai/v1/responses", { ...base, input: "1" }, { headers });
    expect([status, body.error.param, body.error.code]).toEqual([400, "x-parley-session", "unsupported_parameter"]);
    expect(await kept()).toEqual(before);
  });

  it("is its own client's", async () => {
    const { client, base, model, clientId } = await stored();
    const keyOf = async (owner: string) =>
      (await post("/keys", { name: "k", role: "client", clientId: owner })).body.data.key;
    const own = openaiClient(await keyOf(clientId)).client;
    const response = await own.responses.create({ model, input: "1" });
    expect(await own.responses.retrieve(response.id)).toMatchObject({ output_text: "1" });
    const foreign = openaiClient(await keyOf(await createClient())).client;
    for (const call of [
      () => foreign.responses.retrieve(response.id),
      () => foreign.responses.cancel(response.id),
      () => client.responses.retrieve(`resp_${"0".repeat(48)}`),
    ])
      expect(await errorOf(call())).toMatchObject({ status: 404, code: "not_found" });
    expect(
      await errorOf(foreign.responses.create({ model, input: "x", previous_response_id: response.id })),
    ).toMatchObject({ status: 400, code: "previous_response_not_found" });
    expect(base.metadata.client_id).toBe(clientId);
  });

  it("is read from D1 once its session has ended", async () => {
    const { client, base } = await stored();
    const response = await client.responses.create({ ...base, input: "1" });
    await post(`/sessions/${sessionOf(response)}/end`);
    await post(`/sessions/${sessionOf(response)}/stop`);
    expect(await client.responses.retrieve(response.id)).toMatchObject({ status: "completed", output_text: "1" });
  });
});

describe("what is not taken", () => {
  it.each<[string, object, string, string]>([
    ["tools", { tools: [{ type: "web_search" }] }, "tools", "unsupported_parameter"],
    ["a tool that must be called", { tool_choice: "required" }, "tool_choice", "unsupported_parameter"],
    ["background", { background: true }, "background", "unsupported_parameter"],
    ["truncation", { truncation: "auto" }, "truncation", "unsupported_parameter"],
    ["options of a stream that is none", { stream_options: {} }, "stream_options", "unsupported_parameter"],
    ["what else to include", { include: ["web_search_call.results"] }, "include[0]", "unsupported_parameter"],
    [
      "images",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] },
      "input[0].content[0]",
      "unsupported_content",
    ],
    [
      "files",
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "x" }] }] },
      "input[0].content[0]",
      "unsupported_content",
    ],
    [
      "items that are no messages",
      { input: [{ type: "function_call_output", call_id: "1", output: "x" }] },
      "input[0]",
      "unsupported_content",
    ],
    ["a JSON format", { text: { format: { type: "json_object" } } }, "text.format.type", "unsupported_parameter"],
    ["a blank text", { input: " " }, "input", "unsupported_content"],
    ["too long a text", { input: "x".repeat(100_001) }, "input", "unsupported_content"],
    ["an unknown field", { max_ouput_tokens: 1 }, "max_ouput_tokens", "invalid_input"],
    ["too much metadata", { metadata: { a: "x".repeat(513) } }, "metadata.a", "invalid_input"],
  ])("%s: 400 naming the field", async (_, fields, param, code) => {
    const body = { model: await createEndpoint(), input: "x", store: false, ...fields };
    const { status, body: answer } = await post("/openai/v1/responses", body);
    expect([status, answer.error.param, answer.error.code]).toEqual([400, param, code]);
    if (code === "unsupported_parameter") expect(answer.error.message).toMatch(/support|only allowed with/);
  });

  it.each<[string, object, string, string]>([
    ["a number as input", { input: 5 }, "input", "input: expected string or array, received number"],
    ["no input", { input: undefined }, "input", "input: Field required"],
    [
      "a number as content",
      { input: [{ role: "user", content: 5 }] },
      "input[0].content",
      "input.0.content: expected string or array, received number",
    ],
    [
      "a number as text",
      { input: [{ role: "user", content: [{ type: "input_text", text: 5 }] }] },
      "input[0].content[0].text",
      "input.0.content.0.text: expected string, received number",
    ],
    ["a number as conversation", { conversation: 5 }, "conversation", "expected string or object, received number"],
    ["a conversation without an id", { conversation: {} }, "conversation.id", "conversation.id: Field required"],
  ])("%s: the message says what may stand there", async (_, fields, param, message) => {
    const { status, body } = await post("/openai/v1/responses", { model: "eliza", input: "x", ...fields });
    expect([status, body.error.param]).toEqual([400, param]);
    expect(body.error.message).toContain(message);
  });

  it("what only a stream has, for a response that is not streamed", async () => {
    const { client, base } = await stored();
    const { id } = await client.responses.create({ ...base, input: "x" });
    for (const [query, param] of [
      ["starting_after=3", "starting_after"],
      ["stream=false&starting_after=3", "starting_after"],
      ["include_obfuscation=false", "include_obfuscation"],
    ]) {
      const { status, body } = await get(`/openai/v1/responses/${id}?${query}`);
      expect([status, body.error.param, body.error.code]).toEqual([400, param, "unsupported_parameter"]);
    }
    const query = "stream=true&starting_after=3&include_obfuscation=false";
    expect((await get(`/openai/v1/responses/${id}?${query}`)).status).toBe(200);
    expect((await get(`/openai/v1/responses/${id}?stream=false`)).status).toBe(200);
  });

  it("what asks for nothing is taken", async () => {
    const nothing = {
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
      text: { format: { type: "text" } },
      include: ["reasoning.encrypted_content"],
      truncation: "disabled",
      background: false,
      service_tier: "auto",
      user: "u",
      temperature: null,
      stream_options: null,
    };
    const body = { model: await createEndpoint(), input: "x", store: false, ...nothing };
    expect((await post("/openai/v1/responses", body)).status).toBe(200);
  });

  it("a client sets no params and gives no instructions", async () => {
    const model = `chatbot:${await createChatbot()}`;
    const { key } = (await post("/keys", { name: "k", role: "client", clientId: await createClient() })).body.data;
    const { client } = openaiClient(key);
    const responses = client.responses;
    expect(await errorOf(responses.create({ model, input: "x", store: false, max_output_tokens: 5 }))).toMatchObject({
      status: 400,
      code: "unsupported_parameter",
      param: "max_output_tokens",
    });
    expect(await errorOf(responses.create({ model, input: "x", store: false, instructions: "x" }))).toMatchObject({
      status: 400,
      code: "unsupported_content",
      param: "instructions",
    });
    expect((await responses.create({ model, input: "x", store: false })).output_text).toBe("x");
  });
});
