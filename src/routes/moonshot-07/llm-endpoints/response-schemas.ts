/** Schemas of the answers of `/api/v1/llm-endpoints`. */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../../core/endpoint.ts";
import { objectOutput } from "../../http/response-fields.ts";

export const Endpoint = z
  .object({
    id: z.string(),
    name: z.string(),
    connector_type: z.enum(CONNECTOR_TYPES),
    uri: z.string(),
    token: z.string().meta({ description: "Masked" }),
    max_calls_per_second: z.number().int(),
    max_concurrency: z.number().int(),
    model: z.string(),
    params: objectOutput,
    created_date: z.string(),
  })
  .meta({ id: "Moonshot07Endpoint" });

export const Endpoints = z.array(Endpoint);

export const Names = z.array(z.string());

/** The answer to a change; to a create with the id. */
export const Confirmation = z.object({ message: z.string(), id: z.string().optional() });
