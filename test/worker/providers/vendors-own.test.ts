/** Parley and the vendor's own SDK call the same server: requests and replies must agree. */
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai/web";
import OpenAI, { AzureOpenAI } from "openai";
import { describe, expect, inject, it } from "vitest";
import { KEY, makeRequest, callProvider } from "../../support/connectors.ts";

const upstream = inject("upstream");
const aimock = inject("aimock");

const PROMPT = "count to three";
const VERSION = "2024-10-21";

/** A reply in the terms of its vendor. */
interface VendorReply {
  text: string;
  finish: string | null | undefined;
  tokens: (number | undefined)[];
}

/** A vendor. Each gets a system text, a prompt and two params. */
interface Vendor {
  connectorType: Parameters<typeof makeRequest>[0];
  /** The path of the API at a base address, as an endpoint has it in its `uri`. */
  uri: string;
  params: Record<string, unknown>;
  callSdk: (base: string) => Promise<VendorReply>;
  /** The vendor's words for our finish reasons. */
  finish: Record<string, string>;
}

async function callOpenAISdk(client: OpenAI): Promise<VendorReply> {
  const stream = await client.chat.completions.create({
    model: "the-model",
    messages: [
      { role: "system", content: "Be brief" },
      { role: "user", content: PROMPT },
    ],
    temperature: 0.5,
    seed: 7,
    stream: true,
    stream_options: { include_usage: true },
  });
  const reply: VendorReply = { text: "", finish: null, tokens: [] };
  for await (const { choices, usage } of stream) {
    reply.text += choices[0]?.delta.content ?? "";
    reply.finish = choices[0]?.finish_reason ?? reply.finish;
    if (usage) reply.tokens = [usage.prompt_tokens, usage.completion_tokens];
  }
  return reply;
}

async function callAnthropicSdk(base: string): Promise<VendorReply> {
  // Keys can go in two headers. Parley uses the older one.
  const sdk = new Anthropic({ baseURL: base, apiKey: null, defaultHeaders: { "x-api-key": KEY }, maxRetries: 0 });
  const body = {
    model: "the-model",
    max_tokens: 64,
    stop_sequences: ["END"],
    system: "Be brief",
    messages: [{ role: "user", content: PROMPT }],
  } satisfies Anthropic.MessageStreamParams;
  const { content, stop_reason, usage } = await sdk.messages.stream(body).finalMessage();
  const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
  return { text, finish: stop_reason, tokens: [usage.input_tokens, usage.output_tokens] };
}

async function callGeminiSdk(base: string): Promise<VendorReply> {
  const sdk = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: base, apiVersion: "v1beta" } });
  const stream = await sdk.models.generateContentStream({
    model: "the-model",
    contents: [{ role: "user", parts: [{ text: PROMPT }] }],
    config: { temperature: 0.5, maxOutputTokens: 64, systemInstruction: { parts: [{ text: "Be brief" }] } },
  });
  const reply: VendorReply = { text: "", finish: undefined, tokens: [] };
  for await (const { text, candidates, usageMetadata: usage } of stream) {
    reply.text += text ?? "";
    reply.finish = candidates?.[0]?.finishReason ?? reply.finish;
    if (usage) reply.tokens = [usage.promptTokenCount, usage.candidatesTokenCount];
  }
  return reply;
}

const OPENAI_FINISH = { stop: "stop", length: "length", content_filter: "content_filter" };

const VENDORS: Record<string, Vendor> = {
  openai: {
    connectorType: "openai-connector",
    uri: "/v1",
    params: { temperature: 0.5, seed: 7 },
    callSdk: (base) => callOpenAISdk(new OpenAI({ baseURL: `${base}/v1`, apiKey: KEY, maxRetries: 0 })),
    finish: OPENAI_FINISH,
  },
  azure: {
    connectorType: "azure-openai-connector",
    uri: "",
    params: { temperature: 0.5, seed: 7, api_version: VERSION },
    callSdk: (base) =>
      callOpenAISdk(
        new AzureOpenAI({ endpoint: base, apiKey: KEY, apiVersion: VERSION, deployment: "the-model", maxRetries: 0 }),
      ),
    finish: OPENAI_FINISH,
  },
  together: {
    connectorType: "together-connector",
    uri: "/v1",
    // Together reports usage without being asked. Its users' SDK asks, so Parley does here too.
    params: { temperature: 0.5, seed: 7, stream_options: { include_usage: true } },
    callSdk: (base) => callOpenAISdk(new OpenAI({ baseURL: `${base}/v1`, apiKey: KEY, maxRetries: 0 })),
    finish: OPENAI_FINISH,
  },
  anthropic: {
    connectorType: "anthropic-connector",
    uri: "",
    params: { stop_sequences: ["END"], max_tokens: 64, anthropic_version: "2026-10-21" },
    callSdk: callAnthropicSdk,
    finish: { stop: "end_turn", length: "max_tokens", content_filter: "refusal" },
  },
  gemini: {
    connectorType: "google-gemini-connector",
    uri: "/v1beta",
    params: { temperature: 0.5, maxOutputTokens: 64 },
    callSdk: callGeminiSdk,
    finish: { stop: "STOP", length: "MAX_TOKENS", content_filter: "SAFETY" },
  },
};

const messages = [
  { role: "system" as const, content: "Be brief" },
  { role: "user" as const, content: PROMPT },
];

/** The same answer as Parley reads it, in the vendor's terms. */
async function callParley({ connectorType, uri, params, finish }: Vendor, base: string): Promise<VendorReply> {
  const request = makeRequest(connectorType, "", { uri: base + uri, params: JSON.stringify(params), messages });
  const { text, last } = await callProvider(request);
  if (last.type === "failed") throw new Error(`${last.code}: ${last.message}`);
  return { text, finish: finish[last.finishReason], tokens: [last.usage?.inputTokens, last.usage?.outputTokens] };
}

interface Received {
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** The parts of a request that a vendor reads. */
const relevantParts = ({ path, headers, body }: Received) => ({
  path,
  body,
  headers: ["authorization", "api-key", "x-api-key", "x-goog-api-key", "anthropic-version"].map(
    (name) => headers[name],
  ),
});

describe.each(Object.entries(VENDORS))("%s, called by Parley and by the vendor's own SDK", (name, vendor) => {
  it.each(["hello", "length", "filtered"])("gives the same reply for %s", async (scene) => {
    const base = `${upstream}/${name}/${scene}`;
    const reply = await vendor.callSdk(base);
    expect(Object.values(vendor.finish)).toContain(reply.finish);
    expect(await callParley(vendor, base)).toEqual(reply);
  });

  it("gets the same request at the same path, with what the SDK's types allow", async () => {
    const base = `${upstream}/${name}/hello`;
    await callParley(vendor, base);
    await vendor.callSdk(base);
    const received = await (await fetch(`${upstream}/received/${name}`)).json<Received[]>();
    const [theirs, sent] = received.filter(({ path }) => path.includes("/hello/")).map(relevantParts);
    expect(JSON.stringify(sent?.headers)).toContain(KEY);
    expect(sent).toEqual(theirs);
  });

  it("gives the same reply from an independent mock server", async () => {
    const reply = await vendor.callSdk(aimock);
    expect(reply.text).toContain("北京 🎉");
    expect(await callParley(vendor, aimock)).toEqual(reply);
    // The mock server reads both requests alike. Only their order in its journal separates them.
    const journal = await (await fetch(`${aimock}/v1/_requests`)).json<{ path: string; body: object }[]>();
    const [theirs, sent] = journal.slice(-2).map(({ path, body }) => ({ path, body }));
    expect(sent).toEqual(theirs);
  });
});
