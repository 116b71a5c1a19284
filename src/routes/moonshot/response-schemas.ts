/**
 * Schemas of prices, which several resources of the Moonshot API answer, and of the two lists that Parley itself defines:
 * connectors and context strategies. Schemas of one resource are in that resource's folder.
 */
import * as z from "zod";
import { CONNECTOR_TYPES } from "../../core/endpoint.ts";
import { CONTEXT_STRATEGIES } from "../../core/prompt-template.ts";

export const Prices = z
  .object({ input_per_million: z.number(), output_per_million: z.number() })
  .meta({ id: "Prices", description: "The price of a million tokens, in any currency" });

export const ContextStrategies = z.array(z.enum(CONTEXT_STRATEGIES));

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
      "The fields of an endpoint of this type. A create needs the `required` ones; an empty `token` or `model` counts as given, and so does a `model` in `params` or in the address. `params` are those that Parley reads itself or sends in another form",
  });

export const Connectors = z.union([z.array(z.enum(CONNECTOR_TYPES)), z.array(Connector)]);
