import * as z from "zod";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { REPLY_ERROR_CODES } from "../../core/failure.ts";
import { Content, FINISH_REASONS } from "../../core/message.ts";
import { objectOutput, name, providerParams } from "../http/fields.ts";

/** The document's examples name ids such as these. */
const id = z.string().min(1).max(300);

/** `null` and `""` are none. */
const optionalName = z
  .string()
  .max(200)
  .nullable()
  .transform((text) => (text === "" ? null : text))
  .default(null);

export const CreateSession = z.object({
  name,
  description: z.string().max(1000).default(""),
  endpoints: z.array(id).min(1).max(64),
  prompt_template: optionalName,
  context_strategy: optionalName,
});

export const Prompt = z.object({
  prompt: Content.meta({ description: "Kept and sent exactly as given, with the blanks around it" }),
});

const TRUE = ["1", "true", "yes", "on", "t", "y"];
const FALSE = ["0", "false", "no", "off", "f", "n"];

const flag = z
  .string()
  .meta({ examples: ["true", "false"] })
  .transform((text, context) => {
    const word = text.toLowerCase();
    if (TRUE.includes(word)) return true;
    if (FALSE.includes(word)) return false;
    context.addIssue({ code: "custom", message: "must be true or false" });
    return z.NEVER;
  });

const include = z.enum(["receipt"]).optional();

export const GetSession = z.object({ include_history: flag.default(false), include });

export const PutPrompt = z.object({ include });

export const ListSessions = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  skip: z.coerce.number().int().min(0).default(0),
});

export const Prices = z
  .object({ input_per_million: z.number(), output_per_million: z.number() })
  .meta({ id: "Prices", description: "What a million tokens cost, in whatever currency you count" });

export const Usage = z.object({ input_tokens: z.number().int(), output_tokens: z.number().int() });

const finishReasonRaw = z.string().nullable().meta({ description: "The provider's own word; null where it gave none" });

const tokenDetails = {
  cached_input_tokens: z.number().int().nullable().meta({ description: "Of the input tokens; null where not told" }),
  reasoning_tokens: z.number().int().nullable().meta({ description: "Of the output tokens; null where not told" }),
};

const ReplyError = z.object({ code: z.enum(REPLY_ERROR_CODES), message: z.string() });

export const Receipt = z
  .object({
    connector_type: z.enum(CONNECTOR_TYPES),
    url: z.string().nullable().meta({ description: "Where it was asked, without secrets" }),
    model_asked: z.string(),
    model_answered: z.string().nullable(),
    params: objectOutput,
    body: z.string().nullable().meta({ description: "The exact body that was sent, secrets masked" }),
    body_sha256: z.string().nullable().meta({ description: "Of the exact bytes that were sent, in lower-case hex" }),
    provider_request_id: z.string().nullable(),
    attempts: z.array(
      z.object({
        error: ReplyError.nullable(),
        duration_ms: z.number().int(),
        provider_request_id: z.string().nullable(),
      }),
    ),
    queue_ms: z.number().int(),
    ttft_ms: z.number().int().nullable(),
    duration_ms: z.number().int(),
    finish_reason_raw: finishReasonRaw,
    notes: z.array(z.string()).meta({ description: "What was unusual about the answer" }),
    usage: Usage.nullable(),
    ...tokenDetails,
    prices: Prices.nullable().meta({ description: "Those in force when the prompt was put" }),
    cost: z.number().nullable().meta({ description: "Usage at those prices; null without either" }),
  })
  .meta({ id: "Receipt", description: "What makes an answer citable: what exactly was asked, where and how" });

export const ChatRecord = z
  .object({
    chat_record_id: z.number().int(),
    conn_id: z.string(),
    context_strategy: z.string(),
    prompt_template: z.string(),
    prompt: z.string(),
    prepared_prompt: z.string(),
    predicted_result: z.string(),
    duration: z.string(),
    prompt_time: z.string(),
    status: z.enum(["ok", "error", "cancelled"]),
    error: ReplyError.nullable(),
    partial_result: z.string().nullable(),
    finish_reason: z.enum(FINISH_REASONS),
    finish_reason_raw: finishReasonRaw,
    model: z.string().nullable(),
    usage: Usage.nullable(),
    ...tokenDetails,
    duration_ms: z.number().int(),
    ttft_ms: z.number().int().nullable(),
    queue_ms: z.number().int().meta({ description: "Time waited for the endpoint's own limits; not in the others" }),
    attempts: z.number().int(),
    provider_request_id: z.string().nullable(),
    receipt: Receipt.nullable().optional().meta({ description: "With include=receipt only; null where none was kept" }),
  })
  .meta({ id: "ChatRecord", description: "A prompt to one endpoint, and what came of it" });

export const History = z
  .record(z.string(), z.array(ChatRecord))
  .meta({ id: "ChatHistory", description: "The records of every chat, oldest first, by chat id" });

export const Session = z
  .object({
    session_id: z.string(),
    name: z.string(),
    description: z.string(),
    created_epoch: z.number(),
    created_datetime: z.string(),
    chat_ids: z.array(z.string()),
    endpoints: z.array(z.string()),
    prompt_template: z.string().nullable(),
    context_strategy: z.string().nullable(),
    filename: z.null(),
    chat_history: History.nullable(),
  })
  .meta({ id: "MoonshotSession" });

export const OneSession = z.object({ session: Session });
export const Sessions = z.array(Session);
export const Done = z.object({ success: z.literal(true) }).meta({ id: "Done" });
export const Said = z.object({ message: z.string() }).meta({ id: "Said" });

const templateName = name.refine((text) => text !== "." && text !== "..", "must not be a path of its own");

export const CreatePromptTemplate = z.object({
  name: templateName,
  description: z.string().max(1000).default(""),
  template: z.string().min(1).max(100_000),
});

export const PromptTemplate = z
  .object({ name: z.string(), description: z.string(), template: z.string() })
  .meta({ id: "PromptTemplate" });

export const ContextStrategies = z.array(z.enum(CONTEXT_STRATEGIES));

/** A number, or its text: Moonshot's forms send every field as text. */
const numeric = z.coerce.number().int().min(0);

const params = z
  .union([z.literal(""), z.null(), z.record(z.string(), z.unknown())])
  .transform((value) => (value === "" || value === null ? {} : value))
  .pipe(providerParams)
  .transform((value) => JSON.stringify(value));

/** A price, or its text. */
const price = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .pipe(z.number().min(0).max(1_000_000_000));

const prices = z.object({ input_per_million: price, output_per_million: price });

const endpointFields = {
  connector_type: z.enum(CONNECTOR_TYPES),
  uri: z.string().trim().max(2000),
  token: z.string().max(2000),
  model: z.string().max(200),
  max_calls_per_second: numeric,
  max_concurrency: numeric,
  params,
  prices: prices.nullable(),
};

export const CreateEndpoint = z.object({
  name,
  connector_type: endpointFields.connector_type,
  uri: endpointFields.uri.default(""),
  token: endpointFields.token.default(""),
  model: endpointFields.model.default(""),
  max_calls_per_second: numeric.default(0),
  max_concurrency: numeric.default(0),
  params: params.prefault({}),
  prices: endpointFields.prices.default(null),
});

export const UpdateEndpoint = z.object({ name, ...endpointFields }).partial();

export const Endpoint = z
  .object({
    id: z.string(),
    name: z.string(),
    connector_type: z.enum(CONNECTOR_TYPES),
    uri: z.string(),
    token: z.string(),
    model: z.string(),
    max_calls_per_second: z.number().int(),
    max_concurrency: z.number().int(),
    params: objectOutput,
    prices: Prices.nullable(),
  })
  .meta({ id: "Endpoint", description: "A model at an address. Its token is never answered" });

export const Endpoints = z.array(Endpoint);

export const ListConnectors = z.object({ include: z.enum(["fields"]).optional() });

const fieldNames = z.array(z.string());

export const Connector = z
  .object({
    connector_type: z.enum(CONNECTOR_TYPES),
    required: fieldNames,
    optional: fieldNames,
    default_uri: z.string().nullable(),
    params: fieldNames,
  })
  .meta({
    id: "Connector",
    description:
      "What an endpoint of this type needs and takes. Of what is `required` only `name`, `connector_type` and a `uri` without default are demanded at its creation; the provider asks for the rest. `params` are those that are not sent as they are",
  });

export const Connectors = z.union([z.array(z.enum(CONNECTOR_TYPES)), z.array(Connector)]);
