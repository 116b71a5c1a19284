/** A provider that sends halves of surrogate pairs: the reply is the same text in every stream, answer and log. */
import { describe, expect, inject, it } from "vitest";
import { get, post } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import type { Event } from "../../support/follow.ts";
import { createChatbot, createComparison, createEndpoint, createSession } from "../../support/create.ts";

/** The texts that the provider sends, each on its own. */
const TEXTS = ["a \ud83c", "\udf89 b \udf89 c \ud83c", " d \ud83c"];

const REPLY = "a 🎉 b \u{FFFD} c \u{FFFD} d \u{FFFD}";

const scene = (): string => {
  const chunks = TEXTS.map((content) => ({ choices: [{ index: 0, delta: { content } }] }));
  const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
  const events = [...chunks, end].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  return `chunk-${encodeURIComponent(`${events.join("\f")}data: [DONE]\n\n`)}`;
};

const createEndpointWithHalves = (): Promise<string> =>
  createEndpoint({
    connector_type: "openai-connector",
    uri: `${inject("upstream")}/surrogates/${scene()}`,
    model: "gpt-x",
  });

const createSessionWithHalves = async (): Promise<string> =>
  createSession({ chatbotId: await createChatbot({ endpointId: await createEndpointWithHalves() }) });

const deltasOf = (events: Event[], chatId?: string): string =>
  events
    .filter((event) => event.type === "reply-delta" && (chatId === undefined || event["chatId"] === chatId))
    .map((event) => event["text"])
    .join("");

/** The JSON of each event in the text of a stream. */
const dataIn = (text: string): ReturnType<typeof JSON.parse>[] =>
  Array.from(text.matchAll(/^data: (\{.*\})$/gm), ([, json = ""]) => JSON.parse(json));

describe("a reply with halves of surrogate pairs", () => {
  it("is the same in a session's events, on a socket and in the log", async () => {
    const id = await createSessionWithHalves();
    const socket = await connect(`/sessions/${id}/ws`);
    const reader = await followEvents(`/sessions/chat?sessionId=${id}`, { content: "x" });
    await reader.until(({ closed }) => closed !== null);
    await socket.next("turn-ended");
    const { body } = await get(`/sessions/${id}`);
    const replied = reader.events.findLast(({ type }) => type === "message-appended");
    expect([
      deltasOf(reader.events),
      deltasOf(socket.events),
      replied?.["content"],
      body.data.messages.at(-1).content,
    ]).toEqual([REPLY, REPLY, REPLY, REPLY]);
    socket.socket.close();
  });

  it("is the same for several endpoints, which are called elsewhere", async () => {
    const endpoints = await Promise.all([createEndpointWithHalves(), createEndpointWithHalves()]);
    const { session_id: id } = await createComparison(endpoints);
    const reader = await followEvents(`/v1/sessions/${id}/prompt`, { prompt: "x" });
    await reader.until(({ closed }) => closed !== null);
    const replies = reader.events.filter(({ type, role }) => type === "message-appended" && role === "assistant");
    expect(replies.map(({ content }) => content)).toEqual([REPLY, REPLY]);
    expect(replies.map(({ chatId }) => deltasOf(reader.events, chatId))).toEqual([REPLY, REPLY]);
  });

  it.each([false, true])("is the same by OpenAI's API, stored: %s", async (store) => {
    const model = await createEndpointWithHalves();
    const asked = { model, store, messages: [{ role: "user", content: "x" }] };
    const whole = await post("/openai/v1/chat/completions", asked);
    expect(whole.body.choices[0].message.content).toBe(REPLY);
    const chunks = dataIn((await post("/openai/v1/chat/completions", { ...asked, stream: true })).body);
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? "").join("")).toBe(REPLY);
    const events = dataIn((await post("/openai/v1/responses", { model, store, input: "x", stream: true })).body);
    expect(events.map(({ type, delta }) => (type === "response.output_text.delta" ? delta : "")).join("")).toBe(REPLY);
    expect(events.at(-1).response.output[0].content[0].text).toBe(REPLY);
  });

  it("is the same in the AI SDK's stream", async () => {
    const id = await createSessionWithHalves();
    const messages = [{ id: "m", role: "user", parts: [{ type: "text", text: "x" }] }];
    const { body } = await post("/ui/chat", { id, messages, trigger: "submit-message" });
    expect(
      dataIn(body)
        .map(({ delta }) => delta ?? "")
        .join(""),
    ).toBe(REPLY);
    expect((await get(`/ui/chat/${id}`)).body.at(-1).parts).toEqual([{ type: "text", text: REPLY }]);
  });
});
