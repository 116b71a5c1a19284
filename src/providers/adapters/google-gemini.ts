/**
 * Google's own format for Gemini: the request, and what the answer's chunks say.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
import type { Usage } from "../../core/message.ts";
import type { ModelMessage, ReplyRequest } from "../../core/reply.ts";
import { countOf, isObject, listOf, objectOf, stringOf } from "../call/json-fields.ts";
import type { JsonObject } from "../call/json-fields.ts";
import { withoutNulls } from "../call/provider.ts";
import { readText } from "../call/reply-reader.ts";
import type { AnswerFormat, ChunkFacts } from "../call/reply-reader.ts";
import type { WireFormat } from "../call/http-provider.ts";

const DEFAULT_URI = "https://generativelanguage.googleapis.com/v1beta";

/** What a request sets in its `generationConfig`. https://ai.google.dev/api/generate-content#generationconfig */
const GENERATION_FIELDS = new Set(
  `stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities
  candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs
  enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution`.split(/\s+/),
);

/** A model's address: below a base, or pasted whole, with or without a method. A tuned model has a path of its own. */
function modelUrl(uri: string, model: string): string {
  const base = uri.replace(/[/?]+$|\?alt=sse$/, "").replace(/:(streamG|g)enerateContent$/, "");
  if (/\/(models|tunedModels)\/[^/]+$/.test(base)) return base;
  const path = /^(models|tunedModels)\//.test(model) ? model : `models/${model}`;
  return `${base.replace(/\/(models|tunedModels)$/, "")}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Params in their places: what is generation's goes into `generationConfig`, in either spelling, and all else stands beside it. */
function placeParams(sent: Record<string, unknown>): Record<string, unknown> {
  const isGeneration = (name: string) =>
    GENERATION_FIELDS.has(name.replace(/(?<=.)_([a-z])/g, (_, next: string) => next.toUpperCase()));
  const { generationConfig, ...params } = sent;
  const generationParams = Object.entries(params).filter(([name]) => isGeneration(name));
  const otherParams = Object.fromEntries(Object.entries(params).filter(([name]) => !isGeneration(name)));
  if (generationParams.length === 0) return sent;
  const systemParam = typeof generationConfig === "object" ? generationConfig : {};
  return { ...otherParams, generationConfig: { ...systemParam, ...Object.fromEntries(generationParams) } };
}

const partOf = ({ content }: ModelMessage) => ({ text: content });

/** System texts, behind those that the params set. */
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

/** A reply is whole once a chunk has named its finish reason; more may follow it. */
export const generatedContent: AnswerFormat = {
  endsWithDone: false,
  open: () => (document) => (FIELDS.some((field) => field in document) ? readChunk(document) : null),
};

const FIELDS = ["candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"];

function readChunk(chunk: JsonObject): ChunkFacts {
  const candidates = listOf(chunk["candidates"]).filter(isObject);
  const candidate = candidates.find(({ index }) => !index) ?? (candidates.length === 1 ? candidates[0] : undefined);
  const parts = listOf(objectOf(candidate?.["content"])["parts"]).filter(isObject);
  // A prompt that was blocked has no candidates.
  const blocked = stringOf(objectOf(chunk["promptFeedback"])["blockReason"]);
  return {
    id: stringOf(chunk["responseId"]),
    model: stringOf(chunk["modelVersion"]),
    text: parts.map(({ text, thought }) => (thought === true ? "" : readText(text))).join(""),
    hasReasoning: parts.some(({ thought }) => thought === true),
    callsTool: parts.some(({ functionCall }) => functionCall != null),
    finishReason: blocked ?? stringOf(candidate?.["finishReason"]),
    isBlocked: blocked !== null,
    usage: usageIn(chunk["usageMetadata"]),
  };
}

/** What the model thought is paid for like what it said, and what its tools read like the prompt. A count of 0 is left out. */
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
  post({ uri, token, model, messages }: ReplyRequest, { stream, ...sent }) {
    const address = modelUrl(uri || DEFAULT_URI, model);
    const contents = { ...systemOf(messages, sent["systemInstruction"]), contents: turnsOf(messages) };
    return {
      url: `${address}:${stream === undefined ? "streamGenerateContent?alt=sse" : "generateContent"}`,
      headers: token === "" ? {} : { "x-goog-api-key": token },
      body: withoutNulls({ ...placeParams(sent), ...contents }),
      // An address that was pasted whole names the model itself.
      model: decodeURIComponent(address.split("/").at(-1) ?? model),
    };
  },
  unsupportedUrl: /\/(responses|completions|messages)$/,
  answer: generatedContent,
};
