/**
 * Schemas of the requests and responses of `/v1/llm_endpoints`. Rules that need more than one field, or the connector,
 * are in `endpoint-rules.ts`.
 */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { REPLY_ERROR_CODES } from "../../../core/failure.ts";
import { FINISH_REASONS } from "../../../core/message.ts";
import { name, objectOutput, providerParams, refuseLostNames } from "../../http/fields.ts";
import { ignored, Prices } from "../schemas.ts";

/** The answer to a change. */
export const Confirmation = z.object({ message: z.string() }).meta({ id: "Confirmation" });

/** The answer to a create. */
export const CreatedEndpoint = z
  .object({ message: z.string(), id: z.string().meta({ description: "What sessions and chatbots name it by" }) })
  .meta({ id: "CreatedEndpoint" });

/** A number or its text: Moonshot's forms send every field as text. */
const numeric = z.coerce.number().int().min(0);

const params = z
  .preprocess(
    refuseLostNames<"" | null | Record<string, unknown>>,
    z.union([z.literal(""), z.null(), z.record(z.string(), z.unknown())]),
  )
  .transform((value) => (value === "" || value === null ? {} : value))
  .pipe(providerParams)
  .transform((value) => JSON.stringify(value))
  .meta({
    description:
      "Params of each call, such as `temperature`. `GET /v1/connectors?include=fields` lists those that Parley reads; all others are sent to the provider unchanged",
  });

/** A price or its text. */
const price = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .pipe(z.number().min(0).max(1_000_000_000));

const prices = z.strictObject({ input_per_million: price, output_per_million: price });

/** Moonshot's endpoint files contain them once they have been read back. The id is made from the name. */
const ignoredFields = { id: ignored, created_date: ignored };

/** How Moonshot makes ids. https://github.com/un33k/python-slugify */
const SLUG_RULE =
  "The id is made from the name, and never changes: letters in ASCII and lower case, and a `-` for everything between letters and digits. `Älteres GPT-4.1 (test)` becomes `alteres-gpt-4-1-test`";

const endpointName = name.meta({ description: SLUG_RULE });

/** Names of params. */
const pinned = z.array(z.string().min(1).max(200)).max(100).nullable();

const endpointFields = {
  connector_type: z.enum(CONNECTOR_TYPES),
  uri: z.string().trim().max(2000),
  token: z.string().max(2000),
  model: z.string().max(200),
  max_calls_per_second: numeric,
  max_concurrency: numeric,
  params,
  pinned: pinned.meta({ description: "Params that the params of a chatbot cannot override" }),
  prices: prices.nullable(),
};

export const CreateEndpoint = z.strictObject({
  name: endpointName,
  connector_type: endpointFields.connector_type,
  // Which of them a connector needs is checked in `endpoint-rules.ts`.
  uri: endpointFields.uri.optional(),
  token: endpointFields.token.optional(),
  model: endpointFields.model.optional(),
  max_calls_per_second: numeric.default(0),
  max_concurrency: numeric.default(0),
  params: params.prefault({}),
  pinned: endpointFields.pinned.default(null),
  prices: endpointFields.prices.default(null),
  ...ignoredFields,
});

export const UpdateEndpoint = z.strictObject({ name: endpointName, ...endpointFields, ...ignoredFields }).partial();

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
    pinned: z.array(z.string()).meta({ description: "Params that the params of a chatbot cannot override" }),
    prices: Prices.nullable(),
  })
  .meta({ id: "Endpoint", description: "A model at an address. No answer contains its token" });

export const Endpoints = z.array(Endpoint);

export const EndpointTest = z
  .object({
    ok: z.boolean(),
    error: z.object({ code: z.enum(REPLY_ERROR_CODES), message: z.string() }).nullable(),
    text: z.string().meta({ description: "The reply, at most 1,000 characters" }),
    model: z.string().nullable().meta({ description: "The model that answered" }),
    finish_reason: z.enum(FINISH_REASONS),
    usage: z.object({ input_tokens: z.number().int(), output_tokens: z.number().int() }).nullable(),
    duration_ms: z.number().int(),
    ttft_ms: z.number().int().nullable(),
    queue_ms: z.number().int().meta({ description: "How long the call waited for the endpoint's own limits" }),
    provider_request_id: z.string().nullable(),
  })
  .meta({ id: "EndpointTest", description: "What came of one call to an endpoint" });
