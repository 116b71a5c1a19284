/**
 * Schemas of the requests to `/v1/llm_endpoints`. Rules that need more than one field, or the connector,
 * are in `endpoint-rules.ts`.
 */
import * as z from "zod/mini";
import { numberOf } from "../../../core/call-params.ts";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { name, providerParams, refuseLostNames } from "../../http/fields.ts";
import { ignored } from "../schemas.ts";

/** A number or its text: Moonshot's forms send every field as text. */
const numeric = z.pipe(
  z.transform((value: string | number) => (typeof value === "string" ? (numberOf(value) ?? NaN) : value)),
  z.number().check(z.int(), z.gte(0), z.meta({ type: ["integer", "string"], pattern: "^\\s*\\d+\\s*$" })),
);

const givenParams = z.pipe(
  z.transform(refuseLostNames<"" | null | Record<string, unknown>>),
  z.union([z.literal(""), z.null(), z.record(z.string(), z.unknown())]),
);
const objectOfParams = z.pipe(
  givenParams,
  z.transform((value) => (value === "" || value === null ? {} : value)),
);
const params = z
  .pipe(
    z.pipe(objectOfParams, providerParams),
    z.transform((value) => JSON.stringify(value)),
  )
  .check(
    z.meta({
      description:
        "Params of each call, such as `temperature`. `GET /v1/connectors?include=fields` lists those that Parley reads; all others are sent to the provider unchanged",
    }),
  );

/** A price or its text. */
const price = z.pipe(
  z.union([z.number(), z.pipe(z.string().check(z.regex(/^\d+(\.\d+)?$/)), z.transform(Number))]),
  z.number().check(z.gte(0), z.lte(1_000_000_000)),
);

const prices = z.strictObject({ input_per_million: price, output_per_million: price });

/** Moonshot's endpoint files contain them once they have been read back. The id is made from the name. */
const ignoredFields = { id: ignored, created_date: ignored };

/** How Moonshot makes ids. https://github.com/un33k/python-slugify */
const SLUG_RULE =
  "The id is made from the name, and never changes: letters in ASCII and lower case, and a `-` for everything between letters and digits. `Älteres GPT-4.1 (test)` becomes `alteres-gpt-4-1-test`";

const endpointName = name.check(z.meta({ description: SLUG_RULE }));

/** Names of params. */
const pinned = z.nullable(z.array(z.string().check(z.minLength(1), z.maxLength(200))).check(z.maxLength(100)));

const endpointFields = {
  connector_type: z.enum(CONNECTOR_TYPES),
  uri: z.string().check(z.trim(), z.maxLength(2000)),
  token: z.string().check(z.trim(), z.maxLength(2000)),
  model: z.string().check(z.maxLength(200)),
  max_calls_per_second: numeric,
  max_concurrency: numeric,
  params,
  pinned: pinned.check(z.meta({ description: "Params that the params of a chatbot cannot override" })),
  prices: z.nullable(prices),
};

export const CreateEndpoint = z.strictObject({
  name: endpointName,
  connector_type: endpointFields.connector_type,
  // Which of them a connector needs is checked in `endpoint-rules.ts`.
  uri: z.optional(endpointFields.uri),
  token: z.optional(endpointFields.token),
  model: z.optional(endpointFields.model),
  max_calls_per_second: z._default(numeric, 0),
  max_concurrency: z._default(numeric, 0),
  params: z.prefault(params, {}),
  pinned: z._default(endpointFields.pinned, null),
  prices: z._default(endpointFields.prices, null),
  ...ignoredFields,
});

export const UpdateEndpoint = z.partial(z.strictObject({ name: endpointName, ...endpointFields, ...ignoredFields }));
