/** What the OpenAPI document and `/docs` say beyond schemas: how to open a stream, and what is in it; fields that need words. */
import { describe, expect, it } from "vitest";
import { ClientFrame } from "../../../src/live/streaming/client-frames.ts";
import { StreamEvent } from "../../../src/live/streaming/event-schemas.ts";
import { apiDocument as document, apiRoutes } from "../../../src/api-docs.ts";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { followEvents } from "../../support/follow.ts";
import type { EventStreamReader } from "../../support/follow.ts";

interface Stream {
  schema: object;
  examples: Record<string, { value: StreamEvent }>;
}

interface Described {
  description: string;
  "x-codeSamples": { source: string }[];
  "x-examples-from-server": StreamEvent[];
  "x-examples-from-client": ClientFrame[];
  requestBody: { content: Record<string, { schema: { properties: Record<string, { description: string }> } }> };
  responses: Record<string, { content: Record<string, Stream>; "x-event-stream"?: Stream }>;
}

function described(method: string, path: string): Described {
  const operation = (document["paths"] as Record<string, Record<string, Described>>)[path]?.[method];
  if (!operation) throw new Error(`${method} ${path} is not in the document`);
  return operation;
}

/** The events that the document shows for a stream. */
function shownEvents(method: string, path: string): StreamEvent[] {
  const { content, "x-event-stream": stream } = described(method, path).responses["200"] ?? { content: {} };
  return Object.values((stream ?? content["text/event-stream"])?.examples ?? {}).map(({ value }) => value);
}

const typesOf = (events: readonly { type: string }[]): string[] => [
  ...new Set(events.map(({ type }) => type).toSorted()),
];

/** The types of the events of a turn. */
async function turnTypes(path: string, body: object): Promise<string[]> {
  const { body: text } = await post(path, body, { headers: { accept: "text/event-stream" } });
  return typesOf([...String(text).matchAll(/^event: (.+)$/gm)].map(([, type = ""]) => ({ type })));
}

/** The types of all events of a session, after its end. */
async function followedTypes(reader: EventStreamReader): Promise<string[]> {
  await reader.next("stream-closed");
  return typesOf(reader.events);
}

/** Every route that can answer with an event stream. */
const streams = apiRoutes.filter(({ operation }) => operation.response.events);

describe("a route that streams", () => {
  it("is found by this test", () => {
    expect(streams.length).toBeGreaterThanOrEqual(4);
  });

  it.each(streams)("$method $path shows how to open the stream, and each event in it", async ({ method, path }) => {
    const { description, "x-codeSamples": samples } = described(method, path);
    expect(description).toContain("`Accept: text/event-stream`");
    const curl = { lang: "Shell", label: "curl", source: expect.stringContaining("-H 'accept: text/event-stream'") };
    expect(samples).toEqual([curl]);
    const events = shownEvents(method, path);
    for (const event of events) expect(StreamEvent.parse(event)).toEqual(event);
  });

  it.each(streams)("$method $path has no events as JSON in its content", ({ method, path, operation }) => {
    const { content = {}, "x-event-stream": stream } = described(method, path).responses["200"] ?? {};
    const reference = { $ref: "#/components/schemas/StreamEvent" };
    expect(stream?.schema).toEqual(reference);
    if (operation.response.schema) expect(Object.keys(content)).toEqual(["application/json"]);
    else expect(content["text/event-stream"]?.schema).toMatchObject({ type: "string", contentSchema: reference });
  });

  it.each(["/openai/v1/chat/completions", "/openai/v1/responses"])(
    "post %s has its stream as a text beside its JSON",
    (path) => {
      const { content = {}, "x-event-stream": stream } = described("post", path).responses["200"] ?? {};
      expect(Object.keys(content)).toEqual(["application/json"]);
      expect(stream?.schema).toEqual({ type: "string" });
    },
  );

  it("shows every event that a chat and its session send, and no other", async () => {
    const context = { maxTokens: 20, keep: "newest" };
    const id = await createSession({ chatbotId: await createChatbot({ greeting: "Hello ".repeat(20), context }) });
    const reader = await followEvents(`/sessions/${id}/events?after=0`);
    const turn = await turnTypes(`/sessions/chat?sessionId=${id}`, { content: "Hello" });
    expect(turn).toEqual(typesOf(shownEvents("post", "/sessions/chat")));
    for (const [name, seq, body] of [
      ["regenerate", 3, {}],
      ["edit", 2, { content: "Hi" }],
    ] as const) {
      const types = await turnTypes(`/sessions/${id}/messages/${seq}/${name}`, body);
      expect(types).toEqual(typesOf(shownEvents("post", `/sessions/{id}/messages/{seq}/${name}`)));
    }
    await put(`/sessions/${id}`, { title: "New" });
    await post(`/sessions/${id}/end`);
    expect(await followedTypes(reader)).toEqual(typesOf(shownEvents("get", "/sessions/{id}/events")));
  });

  it("shows every event that a prompt and its session send, and no other", async () => {
    const from = await createSession();
    await post(`/sessions/chat?sessionId=${from}`, { content: "Hello" });
    const endpoints = [await createEndpoint(), await createEndpoint()];
    const { session_id: id } = await createComparison(endpoints, { from_session: from });
    const reader = await followEvents(`/v1/sessions/${id}/events?after=0`);
    const turn = await turnTypes(`/v1/sessions/${id}/prompt`, { prompt: "Hello" });
    expect(turn).toEqual(typesOf(shownEvents("post", "/v1/sessions/{id}/prompt")));
    const replay = await turnTypes(`/v1/sessions/${id}/replay`, {});
    expect(replay).toEqual(typesOf(shownEvents("post", "/v1/sessions/{id}/replay")));
    await put(`/v1/sessions/${id}/context_strategies/chat_history`);
    await del(`/v1/sessions/${id}`);
    expect(await followedTypes(reader)).toEqual(typesOf(shownEvents("get", "/v1/sessions/{id}/events")));
  });
});

/** The kinds of frames that only an event stream has, or only a chatbot session has or takes. */
const ELSEWHERE = {
  fromServer: { "/v1": ["stream-closed", "path-changed", "context-trimmed"], "": ["stream-closed", "replay-progress"] },
  fromClient: { "/v1": ["message-append"], "": [] },
};

describe("a route that opens a socket", () => {
  const kinds = (schema: typeof StreamEvent | typeof ClientFrame) =>
    schema.def.options.map(({ shape }) => ({ type: String(shape.type.def.values[0]) }));

  it.each(["", "/v1"] as const)("shows every frame in both directions: %s/sessions", async (prefix) => {
    const { "x-examples-from-server": server, "x-examples-from-client": client } = described(
      "get",
      `${prefix}/sessions/{id}/ws`,
    );
    for (const event of server) expect(StreamEvent.parse(event)).toEqual(event);
    for (const frame of client) expect(ClientFrame.parse(frame)).toEqual(frame);
    expect([...typesOf(server), ...ELSEWHERE.fromServer[prefix]].toSorted()).toEqual(typesOf(kinds(StreamEvent)));
    expect([...typesOf(client), ...ELSEWHERE.fromClient[prefix]].toSorted()).toEqual(typesOf(kinds(ClientFrame)));
  });
});

const bodyFields = (method: string, path: string) =>
  described(method, path).requestBody.content["application/json"]?.schema.properties ?? {};

describe("a field that its name does not explain", () => {
  it.each(["systemPrompt", "greeting", "historyLimit", "context", "params"])(
    "has a sentence: %s of a chatbot",
    (field) => {
      for (const [method, path] of [
        ["post", "/chatbots"],
        ["put", "/chatbots/{id}"],
      ] as const)
        expect(JSON.stringify(bodyFields(method, path)[field])).toMatch(/"description":"(\S+ ){4}/);
    },
  );

  it("has a sentence: params of an endpoint, and the rule by which names become ids", async () => {
    const { name: nameField, params } = bodyFields("post", "/v1/llm_endpoints");
    expect(params?.description).toContain("/v1/connectors");
    const [, name, id] = /`([^`]+)` becomes `([^`]+)`/.exec(nameField?.description ?? "") ?? [];
    await createEndpoint({ name });
    expect((await get(`/v1/llm_endpoints/${id}`)).body).toMatchObject({ id, name });
  });

  it("has a sentence: the columns of CSV, all of them", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    const csv = String((await get(`/v1/sessions/${id}/export?format=csv`)).body);
    const [columns = ""] = csv.replace("\uFEFF", "").split("\r\n");
    expect(described("get", "/v1/sessions/{id}/export").description).toContain(columns.replaceAll(",", ", "));
  });
});
