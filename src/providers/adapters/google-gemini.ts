/**
 * Google's format for Gemini: builds requests and reads the chunks of responses. Transport, retries and errors are in
 * `call/`. Pure.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
import type { Usage } from "../../core/message.ts";
import { GENERATION_FIELDS } from "../../core/param-names.ts";
import type { ModelMessage, ReplyRequest } from "../../core/reply.ts";
import { countOf, hasText, isObject, listOf, objectOf, stringOf } from "../call/json-fields.ts";
import type { JsonObject } from "../call/json-fields.ts";
import { withoutNulls } from "../call/provider.ts";
import { readText } from "../call/reply-reader.ts";
import type { ResponseFormat, ChunkContent } from "../call/reply-reader.ts";
import type { WireFormat } from "../call/http-provider.ts";

const DEFAULT_URI = "https://generativelanguage.googleapis.com/v1beta";

/** The URL of a model. Accepts a base URL, and a full URL with or without a method. A tuned model has its own path. */
function modelUrl(uri: string, model: string): string {
  const base = uri.replace(/[/?]+$|\?alt=sse$/, "").replace(/:(streamG|g)enerateContent$/, "");
  if (/\/(models|tunedModels)\/[^/]+$/.test(base)) return base;
  // A name with other characters, or with `..`, is one segment: it must not change the path.
  const isPath = /^(models|tunedModels|endpoints|publishers)(\/(?!\.+(\/|$))[\w.-]+)+$/.test(model);
  const path = isPath ? model : `models/${encodeURIComponent(model.replace(/^models\//, ""))}`;
  return `${base.replace(/\/(models|tunedModels)$/, "")}/${path}`;
}

/** Moves params of the generation, in either spelling, into `generationConfig`. All others stay at the top level. */
function placeParams(providerParams: Record<string, unknown>): Record<string, unknown> {
  const isGeneration = (name: string) =>
    GENERATION_FIELDS.has(name.replace(/(?<=.)_([a-z])/g, (_, next: string) => next.toUpperCase()));
  const { generationConfig, generation_config: snakeCased, ...params } = providerParams;
  const generationParams = Object.entries(params).filter(([name]) => isGeneration(name));
  const otherParams = Object.fromEntries(Object.entries(params).filter(([name]) => !isGeneration(name)));
  if (generationParams.length === 0) return providerParams;
  const config = { ...objectOf(snakeCased), ...objectOf(generationConfig), ...Object.fromEntries(generationParams) };
  return { ...otherParams, generationConfig: config };
}

const partOf = ({ content }: ModelMessage) => ({ text: content });

/** Adds system texts after those of the params. */
function systemOf(messages: ModelMessage[], systemParam: unknown): { systemInstruction?: unknown } {
  const parts = messages.filter(({ role }) => role === "system").map(partOf);
  if (parts.length === 0) return {};
  const instruction = (systemParam ?? {}) as { parts?: unknown[] };
  return { systemInstruction: { ...instruction, parts: [...(instruction.parts ?? []), ...parts] } };
}

const turnsOf = (messages: ModelMessage[]) =>
  messages
    .filter(({ role }) => role !== "system")
    .map((message) => ({ role: message.role === "assistant" ? "model" : "user", parts: [partOf(message)] }));

/** A reply is complete when a chunk has a finish reason. More chunks may follow. */
export const generatedContent: ResponseFormat = {
  endsWithDone: false,
  createReader: () => (document) => (FIELDS.some((field) => field in document) ? readChunk(document) : null),
};

const FIELDS = ["candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"];

function readChunk(chunk: JsonObject): ChunkContent {
  const candidates = listOf(chunk["candidates"]).filter(isObject);
  const candidate = candidates.find(({ index }) => !index) ?? (candidates.length === 1 ? candidates[0] : undefined);
  const parts = listOf(objectOf(candidate?.["content"])["parts"]).filter(isObject);
  // A blocked prompt has no candidates.
  const blockReason = stringOf(objectOf(chunk["promptFeedback"])["blockReason"]);
  return {
    id: stringOf(chunk["responseId"]),
    model: stringOf(chunk["modelVersion"]),
    text: parts.map(({ text, thought }) => (thought === true ? "" : readText(text))).join(""),
    hasReasoning: parts.some(({ thought }) => thought === true),
    callsTool: parts.some(({ functionCall }) => functionCall != null),
    isUnrecognized: parts.length === 0 && hasText(candidate?.["content"]),
    finishReason: blockReason ?? stringOf(candidate?.["finishReason"]),
    isBlocked: blockReason !== null,
    usage: usageIn(chunk["usageMetadata"]),
  };
}

/** Reasoning is billed as output, and text read by tools as input. Counts of 0 are absent. */
function usageIn(value: unknown): Usage | null {
  const usage = objectOf(value);
  const count = (name: string) => countOf(usage[name]);
  if (count("promptTokenCount") === null && count("candidatesTokenCount") === null) return null;
  const [cached, thoughts] = [count("cachedContentTokenCount"), count("thoughtsTokenCount")];
  return {
    inputTokens: (count("promptTokenCount") ?? 0) + (count("toolUsePromptTokenCount") ?? 0),
    outputTokens: (count("candidatesTokenCount") ?? 0) + (thoughts ?? 0),
    ...(cached === null ? {} : { cachedInputTokens: cached }),
    ...(thoughts === null ? {} : { reasoningTokens: thoughts }),
  };
}

export const googleGemini: WireFormat = {
  defaultUri: DEFAULT_URI,
  required: ["token", "model"],
  optional: ["uri"],
  params: [],
  buildRequest({ uri, token, model, messages }: ReplyRequest, { stream = true, ...providerParams }) {
    const address = modelUrl(uri || DEFAULT_URI, model);
    const contents = { ...systemOf(messages, providerParams["systemInstruction"]), contents: turnsOf(messages) };
    return {
      url: `${address}:${stream === true ? "streamGenerateContent?alt=sse" : "generateContent"}`,
      headers: token === "" ? {} : { "x-goog-api-key": token },
      body: { ...placeParams(withoutNulls(providerParams)), ...contents },
      // A full URL contains the model.
      model: decodeURIComponent(address.split("/").at(-1) ?? model),
    };
  },
  unsupportedUrl: /\/(responses|completions|messages)$/,
  responseFormat: generatedContent,
};
