import * as z from "zod";
import type { FinishReason, Usage } from "../core/message.ts";
import type { ModelMessage, ReplyEnd, ReplyFailed, ReplyRequest } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { parseEvent } from "./stream-reply.ts";
import type { Reader, WireFormat } from "./stream-reply.ts";

const DEFAULT_URI = "https://generativelanguage.googleapis.com/v1beta";

/** What a request sets in its `generationConfig`. https://ai.google.dev/api/generate-content#generationconfig */
const GENERATION_FIELDS = new Set(
  `stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities
  candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs
  enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution`.split(/\s+/),
);

/** What Gemini says when a filter ended the reply. https://ai.google.dev/api/generate-content#FinishReason */
const FILTERED = ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"];
const FILTERED_IMAGE = ["IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"];
const FINISH_REASONS: Partial<Record<string, FinishReason>> = {
  STOP: "stop",
  MAX_TOKENS: "length",
  ...Object.fromEntries([...FILTERED, ...FILTERED_IMAGE].map((reason) => [reason, "content_filter"])),
};

const tokens = z.number().int().min(0).nullish();

const Candidate = z.object({
  index: z.number().nullish(),
  content: z
    .object({ parts: z.array(z.object({ text: z.string().nullish(), thought: z.boolean().nullish() })).nullish() })
    .nullish(),
  finishReason: z.string().nullish(),
});

/** What is read of a chunk. What is there must be of its kind: a corrupt answer must not pass for a good one. */
const Chunk = z.object({
  responseId: z.string().nullish(),
  modelVersion: z.string().nullish(),
  candidates: z.array(Candidate).nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  usageMetadata: z
    .object({ promptTokenCount: tokens, candidatesTokenCount: tokens, thoughtsTokenCount: tokens })
    .nullish(),
  error: z.object({ message: z.string().nullish(), status: z.string().nullish() }).nullish(),
});
type Chunk = z.output<typeof Chunk>;

/** Gemini's own format. A reply is whole once a chunk has named its finish reason. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
export const googleGemini: WireFormat = {
  defaultUri: DEFAULT_URI,
  required: ["token", "model"],
  optional: ["uri"],
  params: [],
  post({ uri, token, model, messages }: ReplyRequest, sent) {
    const base = (uri || DEFAULT_URI).replace(/\/+$/, "");
    const name = model.replace(/^models\//, "");
    return {
      url: `${base}/models/${encodeURIComponent(name)}:streamGenerateContent?alt=sse`,
      headers: token === "" ? {} : { "x-goog-api-key": token },
      body: { ...placed(sent), ...systemOf(messages, sent["systemInstruction"]), contents: turnsOf(messages) },
      model,
    };
  },
  reader: contentReader,
};

/** Params in their places: what is generation's goes into `generationConfig`, in either spelling, and all else stands beside it. */
function placed(sent: Record<string, unknown>): Record<string, unknown> {
  const isGeneration = (name: string) =>
    GENERATION_FIELDS.has(name.replace(/(?<=.)_([a-z])/g, (_, next: string) => next.toUpperCase()));
  const { generationConfig, ...params } = sent;
  const own = Object.entries(params).filter(([name]) => isGeneration(name));
  const beside = Object.fromEntries(Object.entries(params).filter(([name]) => !isGeneration(name)));
  if (own.length === 0) return sent;
  const given = typeof generationConfig === "object" ? generationConfig : {};
  return { ...beside, generationConfig: { ...given, ...Object.fromEntries(own) } };
}

const partOf = ({ content }: ModelMessage) => ({ text: content });

/** System texts, behind those that the params set. */
function systemOf(messages: ModelMessage[], given: unknown): { systemInstruction?: unknown } {
  const parts = messages.filter(({ role }) => role === "system").map(partOf);
  if (parts.length === 0) return {};
  const instruction = (given ?? {}) as { parts?: unknown[] };
  return { systemInstruction: { ...instruction, parts: [...(instruction.parts ?? []), ...parts] } };
}

const turnsOf = (messages: ModelMessage[]) =>
  messages
    .filter(({ role }) => role !== "system")
    .map((message) => ({ role: message.role === "assistant" ? "model" : "user", parts: [partOf(message)] }));

/** What the chunks have told so far. */
interface Seen {
  id: string | null;
  model: string | null;
  finishReason: FinishReason | null;
  usage: Usage | null;
}

function contentReader(requestId: string | null): Reader {
  const seen: Seen = { id: requestId, model: null, finishReason: null, usage: null };
  return {
    *read({ data }) {
      const chunk = parseEvent(Chunk, data);
      const candidate = chunk.candidates?.find(({ index }) => !index) ?? {};
      note(seen, chunk, candidate.finishReason);
      const text = textOf(candidate);
      if (text !== "") yield { type: "text", text };
      const broken = brokenBy(chunk, candidate.finishReason);
      if (broken) yield { ...broken, providerRequestId: seen.id };
    },
    close: () => ended(seen),
  };
}

/** What the model says, without what it thinks. */
const textOf = ({ content }: z.output<typeof Candidate>): string =>
  (content?.parts ?? []).map(({ text, thought }) => (thought ? "" : (text ?? ""))).join("");

function note(seen: Seen, chunk: Chunk, finishReason: string | null | undefined): void {
  seen.id ??= chunk.responseId || null;
  seen.model ??= chunk.modelVersion || null;
  seen.usage = usageOf(chunk) ?? seen.usage;
  if (finishReason) seen.finishReason = FINISH_REASONS[finishReason] ?? null;
  // A prompt that was caught has no candidates.
  if (chunk.promptFeedback?.blockReason) seen.finishReason = "content_filter";
}

/** What the model thought is paid for like what it said. */
const usageOf = ({ usageMetadata: usage }: Chunk): Usage | null =>
  usage
    ? {
        inputTokens: usage.promptTokenCount ?? 0,
        outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      }
    : null;

/** An error in the stream, or an end that is none of a reply: such as `MALFORMED_FUNCTION_CALL`, or `OTHER`. */
function brokenBy({ error }: Chunk, finishReason: string | null | undefined): ReplyFailed | null {
  const strange = finishReason && FINISH_REASONS[finishReason] === undefined ? finishReason : null;
  const reason = error ? (error.message ?? error.status ?? "no reason given") : strange;
  return reason === null ? null : replyFailed("provider_error", `The provider broke off: ${reason}`);
}

/** More may follow the finish reason: it is a reply's end only at the end of the stream. */
const ended = ({ id, model, finishReason, usage }: Seen): ReplyEnd | null =>
  finishReason === null ? null : { type: "end", finishReason, model, usage, providerRequestId: id };
