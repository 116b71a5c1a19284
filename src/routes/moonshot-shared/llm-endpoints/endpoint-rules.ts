/**
 * The rules of an endpoint that need more than one of its fields, or its connector: which address it may have, and when
 * a change needs the token again. The form of a single field is checked in `schemas.ts`. No effects.
 */
import type * as z from "zod";
import type { Endpoint, Prices } from "../../../core/endpoint.ts";
import { SECRET_MASK, secretNameOf } from "../../../core/endpoint.ts";
import type { Failed, Outcome } from "../../../core/failure.ts";
import { failed, invalid, success } from "../../../core/failure.ts";
import { allowsPrivateUrls, urlProblem } from "../../../net/url-guard.ts";
import { PROVIDERS, findMisspeltParam, findParamProblem, originOf } from "../../../providers/registry.ts";
import type * as schemas from "./schemas.ts";

/** A model in the address of a call: of Azure's deployments, and of Google's models. */
const MODEL_IN_URI = /\/(deployments|models|tunedModels)\/[^/]+/;

/**
 * Checks that a new endpoint has the fields that its connector needs. An empty text counts as given: Moonshot's endpoint
 * files have their token added later, and some servers need no model.
 */
export function checkRequired(input: z.output<typeof schemas.CreateEndpoint>): Outcome<null> {
  const { uri = "", params, connector_type: type } = input;
  const hasModel = MODEL_IN_URI.test(uri) || Object.hasOwn(JSON.parse(params) as object, "model");
  const isMissing = (field: "uri" | "token" | "model") =>
    input[field] === undefined && !(field === "model" && hasModel);
  const issues = PROVIDERS[type].required
    .filter(isMissing)
    .map((field) => ({ path: [field], message: field === "uri" ? "Field required" : 'Field required ("" for none)' }));
  if (input.token === SECRET_MASK)
    issues.push({ path: ["token"], message: "This is the mask of a token, not a token" });
  return issues.length === 0 ? success(null) : failed({ reason: "invalid", issues });
}

/** The endpoint that a body describes. */
export const newEndpoint = (
  input: z.output<typeof schemas.CreateEndpoint>,
  identity: Pick<Endpoint, "id" | "createdAt" | "updatedAt">,
): Endpoint => ({
  ...identity,
  name: input.name,
  connectorType: input.connector_type,
  uri: input.uri ?? "",
  token: input.token ?? "",
  model: input.model ?? "",
  maxCallsPerSecond: input.max_calls_per_second,
  maxConcurrency: input.max_concurrency,
  params: input.params,
  pinned: input.pinned,
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
 * Applies changes. A masked or missing token keeps the stored one, but not together with a new origin or connector
 * type, which it is bound to: the caller could otherwise have a token that they do not know sent to a server of their
 * own.
 */
export function applyChanges(endpoint: Endpoint, changes: Partial<Endpoint>): Outcome<Endpoint> {
  const { token, ...others } = changes;
  const changed = { ...endpoint, ...others };
  const origin = originOf(changed);
  // An invalid address has no origin. `checkEndpoint` reports it.
  const isRebound =
    origin !== null && (origin !== originOf(endpoint) || changed.connectorType !== endpoint.connectorType);
  const keepsToken = token === undefined || token === SECRET_MASK;
  if (isRebound && keepsToken && endpoint.token !== "")
    return invalid(["token"], "must be sent again when the origin of uri or the connector type changes");
  return success({ ...changed, ...(keepsToken ? {} : { token }) });
}

export function checkEndpoint(endpoint: Endpoint, env: Env): Outcome<Endpoint> {
  if (endpoint.id === "") return invalid(["name"], "must contain letters or digits, from which the id is made");
  if (endpoint.token.startsWith("env:") && secretNameOf(endpoint.token) === null)
    return invalid(["token"], "may name only secrets that begin with PROVIDER_");
  const param = findParamProblem(endpoint.connectorType, endpoint.params);
  if (param) return invalid(["params", param.name], param.message);
  const misspelt = misspeltParam(endpoint);
  if (misspelt) return misspelt;
  const problem = uriProblem(endpoint, env);
  return problem === null ? success(endpoint) : invalid(["uri"], problem);
}

function misspeltParam({ connectorType, params, pinned }: Endpoint): Failed | null {
  const param = findMisspeltParam(connectorType, Object.keys(JSON.parse(params) as object));
  if (param) return invalid(["params", param.name], `unknown param, did you mean "${param.nearest}"?`);
  const pin = findMisspeltParam(connectorType, pinned ?? []);
  if (!pin) return null;
  return invalid(["pinned", pinned?.indexOf(pin.name) ?? 0], `unknown param, did you mean "${pin.nearest}"?`);
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
