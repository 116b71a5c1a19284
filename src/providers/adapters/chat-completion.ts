/**
 * Reads chat completions: chunks of OpenAI and of compatible servers with their deviations, and whole completions.
 * Requests are built in `openai-compatible.ts`. Pure.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
import { ChoiceSelector, MessageDeltas } from "./chat-choices.ts";
import { hasText, isObject, listOf, objectOf, stringOf } from "../call/json-fields.ts";
import type { JsonObject } from "../call/json-fields.ts";
import { describeError } from "../call/find-provider-error.ts";
import type { ProviderError } from "../call/provider-error.ts";
import { BadChunk, readText } from "../call/reply-reader.ts";
import type { ResponseFormat, ChunkContent } from "../call/reply-reader.ts";
import { usageIn } from "./token-usage.ts";

/** Chunks of a chat completion, a whole completion, and the chunks of Workers AI. */
export const chatCompletion: ResponseFormat = {
  endsWithDone: true,
  createReader: () => {
    const choices = new ChoiceSelector();
    const message = new MessageDeltas();
    return (document) => readChunk(document, choices, message);
  },
};

/** Fields that identify a chunk without choices. */
const CHUNK_FIELDS = ["usage", "prompt_filter_results", "system_fingerprint", "x_groq", "service_tier"];

function readChunk(document: JsonObject, choices: ChoiceSelector, message: MessageDeltas): ChunkContent | null {
  if (!isChunk(document)) return document["type"] === "ping" ? {} : null;
  const list = listOf(document["choices"]).filter(isObject);
  const choice = choices.pick(list);
  const content: ChunkContent = choice
    ? readChoice(choice, document, message)
    : { text: readText(document["response"]), ...(list.length > 0 ? { isUnrecognized: hasText(list) } : {}) };
  content.id = stringOf(document["id"]);
  content.model = stringOf(document["model"]);
  // Kimi reports usage in the choice, Groq in a field of its own.
  content.usage =
    usageIn(document["usage"]) ?? usageIn(choice?.["usage"]) ?? usageIn(objectOf(document["x_groq"])["usage"]);
  return content;
}

const isChunk = (document: JsonObject): boolean =>
  Array.isArray(document["choices"]) ||
  document["response"] != null ||
  (stringOf(document["object"]) ?? "").startsWith("chat.completion") ||
  CHUNK_FIELDS.some((field) => field in document);

function readChoice(choice: JsonObject, document: JsonObject, message: MessageDeltas): ChunkContent {
  const { delta } = choice;
  if (!isEmpty(delta) && !isObject(delta)) throw new BadChunk();
  const part = readDelta(delta);
  const repeated = readDelta(choice["message"]);
  const text = part.text || readText(isObject(delta) ? null : choice["text"]);
  const isSilent = [part, repeated].some(({ hasReasoning, callsTool }) => hasReasoning || callsTool);
  return {
    text: message.add(text) + message.newText(repeated.text),
    hasReasoning: part.hasReasoning || repeated.hasReasoning,
    callsTool: part.callsTool || repeated.callsTool,
    isUnrecognized: text + repeated.text === "" && !isSilent && hasText(choice),
    finishReason: finishReasonOf(choice) ?? finishReasonOf(document),
    error: errorOf(choice),
  };
}

function errorOf(choice: JsonObject): ProviderError | null {
  const error = choice["error"] ?? objectOf(choice["delta"])["error"];
  return isEmpty(error) ? null : describeError(error, {});
}

/** The finish reason, in the forms of compatible servers: a word, or an object or a list with one. */
function finishReasonOf(fields: JsonObject): string | null {
  const given = fields["finish_reason"] ?? fields["finishReason"] ?? objectOf(fields["finish_details"])["type"] ?? null;
  if (given === null || typeof given === "string") return given;
  const inner = isObject(given) ? (given["reason"] ?? given["type"]) : listOf(given)[0];
  return stringOf(inner) ?? JSON.stringify(given).slice(0, 200);
}

const isEmpty = (value: unknown): boolean =>
  value == null || value === "" || (Array.isArray(value) && value.length === 0);

/** Fields of a delta with reasoning. */
const REASONING = ["reasoning_content", "reasoning", "reasoning_text", "reasoning_details", "thinking"] as const;

interface DeltaContent {
  text: string;
  hasReasoning: boolean;
  callsTool: boolean;
}

const NO_CONTENT: DeltaContent = { text: "", hasReasoning: false, callsTool: false };

/** Reads a delta or a message. A `refusal` is what the model says instead of an answer, so it is the reply. */
function readDelta(delta: unknown): DeltaContent {
  if (!isObject(delta)) return NO_CONTENT;
  const parts = readContent(delta["content"]);
  const text = parts.text + readText(delta["refusal"]) || readText(delta["text"]);
  return {
    text,
    hasReasoning: parts.hasReasoning || REASONING.some((field) => !isEmpty(delta[field])),
    callsTool: !isEmpty(delta["tool_calls"]) || !isEmpty(delta["function_call"]),
  };
}

/** The text of a content field, without reasoning. A list has the text of its parts. */
function readContent(content: unknown): { text: string; hasReasoning: boolean } {
  if (!Array.isArray(content) && !isObject(content)) return { text: readText(content), hasReasoning: false };
  let text = "";
  let hasReasoning = false;
  for (const part of [content].flat()) {
    const isReasoning = isObject(part) && /think|reason/.test(stringOf(part["type"]) ?? "");
    hasReasoning ||= isReasoning;
    if (!isReasoning) text += isObject(part) ? partText(part) : readText(part);
  }
  return { text, hasReasoning };
}

function partText({ type, text, refusal }: JsonObject): string {
  // Parts of other types, such as references, have no text.
  if (text === undefined && refusal === undefined && typeof type === "string") return "";
  if (text === undefined && refusal === undefined) throw new BadChunk();
  return readText(text) || readText(refusal);
}
