/**
 * Schemas of the requests to `/v1/llm_endpoints`. Rules that need more than one field, or the connector,
 * are in `endpoint-rules.ts`.
 */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { name, providerParams, refuseLostNames } from "../../http/fields.ts";
import { ignored } from "../schemas.ts";

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
