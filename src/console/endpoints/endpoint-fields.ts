/** The fields of an endpoint as a form has them, and as the API takes them. Pure. */
import type { Endpoint, EndpointFields } from "../../client/types.ts";
import { jsonText } from "../shared/form/json-object.ts";
import { readParams } from "../shared/form/params-field.tsx";
import { isPlainAddress, mayHoldSecret } from "../shared/form/secrets.ts";

const EMPTY = {
  name: "",
  connector_type: "openai-connector",
  uri: "",
  token: "",
  model: "",
  max_calls_per_second: "0",
  max_concurrency: "0",
  input_per_million: "",
  output_per_million: "",
  params: "",
  pinned: "",
};

export type Fields = Record<keyof typeof EMPTY, string>;
export type FieldName = keyof Fields;

export function fieldsOf(endpoint: Endpoint | null): Fields {
  if (!endpoint) return EMPTY;
  const { prices, params, pinned } = endpoint;
  return {
    ...EMPTY,
    name: endpoint.name,
    connector_type: endpoint.connector_type,
    uri: endpoint.uri,
    model: endpoint.model,
    max_calls_per_second: String(endpoint.max_calls_per_second),
    max_concurrency: String(endpoint.max_concurrency),
    input_per_million: prices ? String(prices.input_per_million) : "",
    output_per_million: prices ? String(prices.output_per_million) : "",
    params: jsonText(params),
    pinned: pinned.join(", "),
  };
}

/** @param keepsToken whether an empty token is the one that is set, and not none @throws in words for who wrote it */
export function toInput(fields: Fields, keepsToken: boolean): EndpointFields {
  const { token, input_per_million: input, output_per_million: output, params, pinned, ...texts } = fields;
  return {
    ...texts,
    connector_type: fields.connector_type as EndpointFields["connector_type"],
    ...(token === "" && keepsToken ? {} : { token }),
    max_calls_per_second: Number(fields.max_calls_per_second),
    max_concurrency: Number(fields.max_concurrency),
    prices: pricesOf(input, output),
    params: readParams(params) ?? {},
    pinned: namesOf(pinned),
  };
}

function pricesOf(input: string, output: string): EndpointFields["prices"] {
  if (input === "" && output === "") return null;
  if (input === "" || output === "")
    throw new Error("Price of input and price of output: give both, or none. 0 is for tokens that cost nothing.");
  return { input_per_million: Number(input), output_per_million: Number(output) };
}

/** What is not kept in the browser: a token, and what may hold one. */
export const isSecret = (field: string, value: string): boolean =>
  field === "token" || (field === "uri" && !isPlainAddress(value)) || (field === "params" && mayHoldSecret(value));

/** Names with commas between them. `null` for none. */
function namesOf(text: string): string[] | null {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length === 0 ? null : names;
}
