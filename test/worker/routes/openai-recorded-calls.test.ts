/**
 * The calls of clients that are no packages of this project, as they send them: OpenAI's Python client, Open WebUI and
 * LibreChat. Open WebUI's forms were read in its source, the others follow what is known of them; the texts are our own.
 */
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ADMIN_KEY, get } from "../../support/api.ts";
import { createChatbot, createEndpoint } from "../../support/create.ts";
import { kept } from "../../support/kept.ts";
import { faultIn } from "../../support/openapi.ts";

const PYTHON = {
  accept: "application/json",
  "content-type": "application/json",
  "user-agent": "OpenAI/Python 2.8.1",
  "x-stainless-lang": "python",
  "x-stainless-package-version": "2.8.1",
  "x-stainless-os": "Linux",
  "x-stainless-arch": "x64",
  "x-stainless-runtime": "CPython",
  "x-stainless-runtime-version": "3.12.3",
  "x-stainless-async": "false",
  "x-stainless-retry-count": "0",
  "x-stainless-read-timeout": "600",
};

const OPEN_WEBUI = {
  "content-type": "application/json",
  "user-agent": "Python/3.11 aiohttp/3.13.2",
  accept: "*/*",
  "x-openwebui-user-name": "Ada",
  "x-openwebui-user-id": "8c5e2f6e-6a4f-4a52-9a1d-0f0b6a1d2c3e",
  "x-openwebui-user-role": "user",
};

const LIBRECHAT = { "content-type": "application/json", accept: "application/json", "user-agent": "OpenAI/JS 5.23.2" };

let endpoint = "";
let chatbot = "";

beforeAll(async () => {
  endpoint = await createEndpoint();
  chatbot = `chatbot:${await createChatbot({ systemPrompt: "You are Ada." })}`;
});

async function send(method: string, path: string, headers: Record<string, string>, body?: object) {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test/openai/v1${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${ADMIN_KEY}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }),
  );
  const text = await answer.text();
  if (/json/.test(answer.headers.get("content-type") ?? ""))
    expect(faultIn(method, `/openai/v1${path}`, answer.status, JSON.parse(text))).toBeNull();
  return { status: answer.status, headers: answer.headers, text };
}

const contentOf = (text: string): string => JSON.parse(text).choices[0].message.content;

/** The text of a stream's chunks, which end with the marker. */
function streamed(text: string): string {
  const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, line = ""]) => line);
  expect(data.at(-1)).toBe("[DONE]");
  return data
    .slice(0, -1)
    .map((line) => JSON.parse(line).choices[0]?.delta.content ?? "")
    .join("");
}

describe("OpenAI's Python client", () => {
  it("lists models, asks and streams", async () => {
    expect((await send("GET", "/models", PYTHON)).status).toBe(200);
    const body = { messages: [{ role: "user", content: "Hello" }], model: endpoint, max_tokens: 20, temperature: 0.2 };
    expect(contentOf((await send("POST", "/chat/completions", PYTHON, body)).text)).toBe("Hello");
    const stream = { ...body, stream: true, stream_options: { include_usage: true } };
    expect(streamed((await send("POST", "/chat/completions", PYTHON, stream)).text)).toBe("Hello");
  });

  it("keeps a conversation in the session that the first answer names", async () => {
    const first = { messages: [{ role: "user", content: "Hello" }], model: endpoint, store: true };
    const { headers } = await send("POST", "/chat/completions", PYTHON, first);
    const session = headers.get("x-parley-session") ?? "";
    const next = ["Hello", "Hello", "And you?"].map((content, at) => ({
      role: at === 1 ? "assistant" : "user",
      content,
    }));
    const inSession = { ...PYTHON, "x-parley-session": session };
    const { text } = await send("POST", "/chat/completions", inSession, { messages: next, model: endpoint });
    expect(contentOf(text)).toBe("And you?");
    const { body } = await get(`/sessions/${session}`);
    expect(body.data.messages.map(({ role }: { role: string }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
  });

  it("asks by responses", async () => {
    const body = { input: "Hello", model: endpoint, instructions: "Be brief.", max_output_tokens: 64 };
    const { status, text } = await send("POST", "/responses", PYTHON, body);
    expect([status, JSON.parse(text).output[0].content[0].text]).toEqual([200, "Hello"]);
    const stream = await send("POST", "/responses", PYTHON, { ...body, stream: true });
    expect(stream.text).toMatch(/event: response.completed\ndata: .*"text":"Hello"/);
  });
});

describe("Open WebUI", () => {
  it("finds the models with their names", async () => {
    const { text } = await send("GET", "/models", OPEN_WEBUI);
    const { data } = JSON.parse(text) as { data: { id: string; name: string }[] };
    for (const id of [endpoint, chatbot]) expect(data.find((model) => model.id === id)?.name).toMatch(/\w/);
  });

  it("chats, and asks for a title, tags and follow-ups, without leaving anything", async () => {
    const before = await kept();
    const chat = {
      stream: true,
      model: chatbot,
      messages: [
        { role: "system", content: "Answer in English." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Hi" },
        { role: "user", content: "How are you?" },
      ],
      stream_options: { include_usage: true },
    };
    expect(streamed((await send("POST", "/chat/completions", OPEN_WEBUI, chat)).text)).toBe("How are you?");
    const task = (content: string, fields: object = {}) =>
      send("POST", "/chat/completions", OPEN_WEBUI, {
        model: endpoint,
        messages: [{ role: "user", content }],
        stream: false,
        ...fields,
      });
    const title = await task("### Task:\nGive this chat a title of three words.", { max_completion_tokens: 1_000 });
    expect(contentOf(title.text)).toContain("title of three words");
    for (const content of ["### Task:\nGive this chat three tags.", "### Task:\nSuggest three questions."])
      expect((await task(content)).status).toBe(200);
    expect(await kept()).toEqual(before);
  });
});

describe("LibreChat", () => {
  it("finds the models, chats with a user's id, and asks for a title, without leaving anything", async () => {
    const before = await kept();
    expect((await send("GET", "/models", LIBRECHAT)).status).toBe(200);
    const chat = {
      model: endpoint,
      user: "65f3a1b2c4d5e6f708192a3b",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 1,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: [{ type: "text", text: "Hello" }] },
      ],
    };
    expect(streamed((await send("POST", "/chat/completions", LIBRECHAT, chat)).text)).toBe("Hello");
    const title = {
      model: chatbot,
      temperature: 0.2,
      presence_penalty: 0,
      frequency_penalty: 0,
      max_tokens: 16,
      messages: [{ role: "system", content: "Write a short title for this conversation: Hello" }],
    };
    expect((await send("POST", "/chat/completions", LIBRECHAT, title)).status).toBe(200);
    expect(await kept()).toEqual(before);
  });
});
