/** The fields of a chatbot as a form has them, and as the API takes them. Pure. */
import type { Chatbot, ChatbotChanges, ChatbotFields } from "../../client/types.ts";
import { jsonText } from "../shared/form/json-object.ts";
import { readParams } from "../shared/form/params-field.tsx";

const EMPTY = {
  name: "",
  endpointId: "",
  description: "",
  systemPrompt: "",
  greeting: "",
  historyLimit: "50",
  maxTokens: "",
  keep: "newest",
  summaryEndpointId: "",
  params: "",
  takeoverTimeoutMinutes: "",
};

export type Fields = Record<keyof typeof EMPTY, string>;

export function fieldsOf(chatbot: Chatbot | null): Fields {
  if (!chatbot) return EMPTY;
  const { name, endpointId, description, systemPrompt, greeting, context, takeoverTimeoutMinutes } = chatbot;
  const { maxTokens, keep, summaryEndpointId } = context ?? {};
  return {
    ...EMPTY,
    name,
    endpointId,
    historyLimit: String(chatbot.historyLimit),
    params: jsonText(chatbot.params),
    ...textsOf({ description, systemPrompt, greeting, maxTokens, keep, summaryEndpointId, takeoverTimeoutMinutes }),
  };
}

/** Those that there are. */
const textsOf = (values: Partial<Record<keyof Fields, string | number | undefined>>): Partial<Fields> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );

/** What a change sends: a field that is empty is removed. @throws if the params are no JSON object */
export function toChanges(fields: Fields) {
  const { takeoverTimeoutMinutes: minutes } = fields;
  return {
    name: fields.name,
    endpointId: fields.endpointId,
    description: fields.description || null,
    systemPrompt: fields.systemPrompt || null,
    greeting: fields.greeting || null,
    historyLimit: Number(fields.historyLimit),
    context: contextOf(fields),
    params: readParams(fields.params),
    takeoverTimeoutMinutes: minutes === "" ? null : Number(minutes),
  } satisfies ChatbotChanges;
}

/** A new chatbot has nothing to remove. @throws if the params are no JSON object */
export const toNew = (fields: Fields): ChatbotFields =>
  Object.fromEntries(Object.entries(toChanges(fields)).filter(([, value]) => value !== null)) as ChatbotFields;

function contextOf({ maxTokens, keep, summaryEndpointId }: Fields): ChatbotFields["context"] | null {
  if (maxTokens === "") return null;
  return {
    maxTokens: Number(maxTokens),
    keep: keep === "summary" ? "summary" : "newest",
    ...(keep === "summary" && summaryEndpointId !== "" ? { summaryEndpointId } : {}),
  };
}
