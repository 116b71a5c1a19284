/** Schemas of the answers of `/v1/llm_endpoints`. */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { REPLY_ERROR_CODES } from "../../../core/failure.ts";
import { FINISH_REASONS } from "../../../core/message.ts";
import { objectOutput } from "../../http/response-fields.ts";
import { Prices } from "../response-schemas.ts";

/** The answer to a change. */
export const Confirmation = z.object({ message: z.string() }).meta({ id: "Confirmation" });

/** The answer to a create. */
export const CreatedEndpoint = z
  .object({ message: z.string(), id: z.string().meta({ description: "What sessions and chatbots name it by" }) })
  .meta({ id: "CreatedEndpoint" });

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
