/**
 * The rules of an endpoint that need more than one of its fields, or its connector: which address it may have, and when
 * a change needs the token again. The form of a single field is checked in `schemas.ts`. No effects.
 */
import type * as z from "zod";
import type { Endpoint, Prices } from "../../../core/endpoint.ts";
import { SECRET_MASK, secretNameOf } from "../../../core/endpoint.ts";
import type { Outcome } from "../../../core/failure.ts";
import { invalid, success } from "../../../core/failure.ts";
import { allowsPrivateUrls, urlProblem } from "../../../net/url-guard.ts";
import { PROVIDERS, findParamProblem } from "../../../providers/registry.ts";
import type * as schemas from "./schemas.ts";

/** The endpoint that a body describes. */
export const newEndpoint = (
  input: z.output<typeof schemas.CreateEndpoint>,
  identity: Pick<Endpoint, "id" | "createdAt" | "updatedAt">,
): Endpoint => ({
  ...identity,
  name: input.name,
  connectorType: input.connector_type,
  uri: input.uri,
  token: input.token,
  model: input.model,
  maxCallsPerSecond: input.max_calls_per_second,
  maxConcurrency: input.max_concurrency,
  params: input.params,
  prices: input.prices && renamePrices(input.prices),
});

/** The fields that a body changes. */
export function changesOf(input: z.output<typeof schemas.UpdateEndpoint>): Partial<Endpoint> {
  const { connector_type, max_calls_per_second, max_concurrency, prices, ...others } = input;
  const fields = {
    ...others,
    connectorType: connector_type,
    maxCallsPerSecond: max_calls_per_second,
    maxConcurrency: max_concurrency,
    prices: prices && renamePrices(prices),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const renamePrices = (prices: NonNullable<z.output<typeof schemas.CreateEndpoint>["prices"]>): Prices => ({
  inputPerMillion: prices.input_per_million,
  outputPerMillion: prices.output_per_million,
});

/**
 * Applies changes. A masked or missing token keeps the stored one, but not together with a new origin: the caller could
 * then send somebody else's token to a server of their own.
 */
export function applyChanges(endpoint: Endpoint, changes: Partial<Endpoint>): Outcome<Endpoint> {
  const { token, ...others } = changes;
  const changed = { ...endpoint, ...others };
  const origin = originOf(changed);
  // An invalid address has no origin. `checkEndpoint` reports it.
  const movesOrigin = origin !== null && origin !== originOf(endpoint);
  const keepsToken = token === undefined || token === SECRET_MASK;
  if (movesOrigin && keepsToken && endpoint.token !== "")
    return invalid(["token"], "must be sent again when the origin of uri changes");
  return success({ ...changed, ...(keepsToken ? {} : { token }) });
}

function originOf({ connectorType, uri }: Endpoint): string | null {
  const address = uri || PROVIDERS[connectorType].defaultUri;
  return address && URL.canParse(address) ? new URL(address).origin : null;
}

export function checkEndpoint(endpoint: Endpoint, env: Env): Outcome<Endpoint> {
  if (endpoint.id === "") return invalid(["name"], "must contain letters or digits, from which the id is made");
  if (endpoint.token.startsWith("env:") && secretNameOf(endpoint.token) === null)
    return invalid(["token"], "may name only secrets that begin with PROVIDER_");
  const param = findParamProblem(endpoint.connectorType, endpoint.params);
  if (param) return invalid(["params", param.name], param.message);
  const problem = uriProblem(endpoint, env);
  return problem === null ? success(endpoint) : invalid(["uri"], problem);
}

function uriProblem({ connectorType, uri }: Endpoint, env: Env): string | null {
  if (uri === "") return PROVIDERS[connectorType].defaultUri === null ? "Field required" : null;
  const problem = urlProblem(uri, allowsPrivateUrls(env.ALLOW_PRIVATE_ENDPOINTS));
  if (problem !== null) return problem;
  // A call appends its path to the address. These two queries are allowed: the vendors' portals and guides show them.
  const queries = { "azure-openai-connector": /\?api-version=[\w.-]+$/, "google-gemini-connector": /\?alt=sse$/ };
  const path = uri.replace(Reflect.get(queries, connectorType) ?? /$^/, "");
  if (/[?#]/.test(path)) return "must not contain a query or a fragment; a key belongs in token";
  return PROVIDERS[connectorType].unsupportedUrl?.test(path.replace(/\/+$/, "")) === true
    ? "is the address of another API: use the base address, as in the guide on connectors"
    : null;
}
