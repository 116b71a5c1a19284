/** The AI SDK's providers `@ai-sdk/openai` and `@ai-sdk/openai-compatible`, unchanged, against a started server. */
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, RetryError, generateText, streamText } from "ai";
import type { LanguageModel, ModelMessage } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

let server: LocalServer;
let chatbot = "";
let client = "";

/** The statuses of the calls that a provider made, in order. */
let statuses: number[] = [];

beforeEach(() => {
  statuses = [];
});

const countingFetch: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  statuses.push(answer.status);
  return answer;
};

beforeAll(async () => {
  server = await startLocalServer();
  const { parley } = server;
  const [clients, created] = await Promise.all([
    parley.clients.list(),
    parley.chatbots.create({ name: "Repeats", endpointId: "echo" }),
    endpoint("Busy", { fail: "429", fail_times: 1, max_attempts: 1 }),
    endpoint("Broken", { fail: "400", max_attempts: 1 }),
  ]);
  chatbot = created.id;
  client = clients.results[0]?.id ?? "";
}, 240_000);

afterAll(() => server.stop());

const endpoint = (name: string, params: Record<string, string | number>) =>
  server.parley.endpoints.create({ name, connector_type: "echo-connector", uri: "", token: "", model: "", params });

interface Setup {
  apiKey?: string;
  headers?: Record<string, string>;
}

const settings = ({ apiKey = server.key, headers = {} }: Setup) => ({
  baseURL: `${server.address}/openai/v1`,
  apiKey,
  headers,
  fetch: countingFetch,
});

const compatible = (model: string, setup: Setup = {}): LanguageModel =>
  createOpenAICompatible({ name: "parley", includeUsage: true, ...settings(setup) })(model);

const PROVIDERS: [string, (model: string, setup?: Setup) => LanguageModel][] = [
  ["@ai-sdk/openai-compatible", compatible],
  ["@ai-sdk/openai, chat", (model, setup = {}) => createOpenAI(settings(setup)).chat(model)],
  ["@ai-sdk/openai, responses", (model, setup = {}) => createOpenAI(settings(setup)).responses(model)],
];

/** What a call failed with, of the last attempt. */
async function failureOf(call: PromiseLike<unknown>): Promise<APICallError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const last = RetryError.isInstance(error) ? error.lastError : error;
  if (!APICallError.isInstance(last)) throw new Error(`not an error of a call: ${String(last)}`);
  return last;
}

describe.each(PROVIDERS)("%s", (_, model) => {
  it("asks an endpoint", async () => {
    const { text, finishReason, usage } = await generateText({ model: model("echo"), prompt: "I feel adventurous" });
    expect(text).toBe("I feel adventurous");
    expect(finishReason).toBe("stop");
    expect(usage.outputTokens).toBeGreaterThan(0);
  });

  it("streams", async () => {
    const result = streamText({ model: model("eliza"), prompt: "I feel adventurous", onError: () => undefined });
    const parts: string[] = [];
    for await (const part of result.textStream) parts.push(part);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.join("")).toBe(await result.text);
    expect(await result.finishReason).toBe("stop");
  });

  it("asks with a system prompt and a conversation", async () => {
    const messages: ModelMessage[] = [
      { role: "user", content: "One" },
      { role: "assistant", content: "Two" },
      { role: "user", content: "Three" },
    ];
    expect((await generateText({ model: model("echo"), system: "Be brief.", messages })).text).toBe("Three");
  });

  it("raises an unknown model as an error that is not repeated", async () => {
    const error = await failureOf(generateText({ model: model("nobody"), prompt: "Hello" }));
    expect([error.statusCode, error.isRetryable, statuses]).toEqual([404, false, [404]]);
    expect(error.message).toContain("nobody");
  });

  it("raises what the provider rejects as an error that is not repeated", async () => {
    const error = await failureOf(generateText({ model: model("broken"), prompt: "Hello" }));
    expect([error.statusCode, error.isRetryable, statuses]).toEqual([400, false, [400]]);
  });

  it("raises a bad token as an error that is not repeated", async () => {
    const error = await failureOf(generateText({ model: model("echo", { apiKey: "wrong" }), prompt: "Hello" }));
    expect([error.statusCode, statuses]).toEqual([401, [401]]);
  });
});

const newSession = async (chatbotId: string): Promise<string> =>
  (await server.parley.sessions.create({ chatbotId, clientId: client, title: "Kept" })).id;

const textsOf = async (session: string): Promise<string[]> =>
  (await server.parley.sessions.messages(session)).messages.map(({ role, content }) => `${role}: ${content}`);

describe("in a session, by x-parley-session", () => {
  it.each(PROVIDERS.slice(0, 2))(
    "%s sends the whole conversation each time, and each turn is kept once",
    async (_, model) => {
      const session = await newSession(chatbot);
      const kept = model(`chatbot:${chatbot}`, { headers: { "x-parley-session": session } });
      const messages: ModelMessage[] = [];
      for (const content of ["One", "Two", "Three"]) {
        messages.push({ role: "user", content });
        messages.push(...(await generateText({ model: kept, messages })).response.messages);
      }
      const turns = ["One", "Two", "Three"].flatMap((text) => [`user: ${text}`, `assistant: ${text}`]);
      expect(await textsOf(session)).toEqual(turns);
    },
  );

  it("a call that was too much for the provider is repeated after the pause of Retry-After, and adds no second message", async () => {
    const busy = await server.parley.chatbots.create({ name: "Busy", endpointId: "busy" });
    const session = await newSession(busy.id);
    const model = compatible(`chatbot:${busy.id}`, { headers: { "x-parley-session": session } });
    const { text } = await generateText({ model, prompt: "Hello" });
    expect([text, statuses]).toEqual(["Hello", [429, 200]]);
    expect((await textsOf(session)).filter((message) => message.startsWith("user"))).toEqual(["user: Hello"]);
  });

  it("another model than the session's is refused, and not repeated", async () => {
    const headers = { "x-parley-session": await newSession(chatbot) };
    const error = await failureOf(generateText({ model: compatible("eliza", { headers }), prompt: "Hello" }));
    expect([error.statusCode, error.isRetryable, statuses]).toEqual([400, false, [400]]);
    expect(error.responseBody).toContain("model_mismatch");
  });

  it("a conversation that a person handles is refused with the reason", async () => {
    const session = await newSession(chatbot);
    await server.parley.sessions.takeOver(session, { operator: { id: "ada", name: "Ada" } });
    const model = compatible(`chatbot:${chatbot}`, { headers: { "x-parley-session": session } });
    const error = await failureOf(generateText({ model, prompt: "Hello", maxRetries: 0 }));
    expect([error.statusCode, statuses]).toEqual([409, [409]]);
    expect(error.responseBody).toContain("human_handles");
    expect(await textsOf(session)).toEqual(["user: Hello"]);
  });
});

describe("responses that are stored", () => {
  const options = (openai: Record<string, string | boolean>) => ({ providerOptions: { openai } });
  const responses = (): LanguageModel => createOpenAI(settings({})).responses(`chatbot:${chatbot}`);

  it("go on in a session by conversation", async () => {
    const session = await newSession(chatbot);
    for (const prompt of ["One", "Two"])
      await generateText({ model: responses(), prompt, ...options({ conversation: session }) });
    expect(await textsOf(session)).toEqual(["user: One", "assistant: One", "user: Two", "assistant: Two"]);
  });

  it("go on behind an earlier one by previousResponseId", async () => {
    const session = await newSession(chatbot);
    const first = await generateText({ model: responses(), prompt: "One", ...options({ conversation: session }) });
    const previousResponseId = first.response.id;
    const next = await generateText({ model: responses(), prompt: "Two", ...options({ previousResponseId }) });
    expect(next.text).toBe("Two");
    expect(await textsOf(session)).toEqual(["user: One", "assistant: One", "user: Two", "assistant: Two"]);
  });

  it("without a session keep nothing with store: false", async () => {
    const before = await server.parley.sessions.list({ limit: 100 });
    const model = createOpenAI(settings({})).responses("echo");
    const { text } = await generateText({ model, prompt: "Hello", ...options({ store: false }) });
    expect(text).toBe("Hello");
    expect(await server.parley.sessions.list({ limit: 100 })).toEqual(before);
  });
});
