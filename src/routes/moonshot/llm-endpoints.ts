import { Hono } from "hono";
import type * as z from "zod";
import { urlProblem, allowsPrivateUrls } from "../../net/url-guard.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { SECRET_MASK, secretNameOf } from "../../core/endpoint.ts";
import type { Outcome } from "../../core/failure.ts";
import { invalid, success } from "../../core/failure.ts";
import { isSecret, seal, reseal } from "../../crypto/sealed-tokens.ts";
import { now } from "../../core/time.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import { database } from "../../store/database.ts";
import { createEndpoint, deleteEndpoint, findEndpoint, listEndpoints, updateEndpoint } from "../../store/endpoints.ts";
import { audit } from "../http/audit.ts";
import { requireRole } from "../http/authenticate.ts";
import type { AppEnv } from "../http/context.ts";
import { readFromReplica } from "../http/context.ts";
import { createOnce, answerToSave } from "../http/idempotency.ts";
import { describe } from "../openapi/describe.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import type { HttpProblem } from "../http/problem.ts";
import { body } from "../http/validate.ts";
import * as examples from "./examples.ts";
import { presentEndpoint } from "./present.ts";
import * as schemas from "./schemas.ts";
import { slug } from "./slug.ts";

/** `/v1/llm_endpoints`: what prompts can be put to. */
export const llmEndpoints = new Hono<AppEnv>({ strict: false })
  .get(
    "/",
    describe({
      id: "listEndpoints",
      headers: ["x-d1-bookmark"],
      tag: "Moonshot",
      summary: "List endpoints, by name",
      answer: { status: 200, description: "All endpoints", schema: schemas.Endpoints },
    }),
    requireRole("admin", "service"),
    async (c) => c.json((await readFromReplica(c, listEndpoints)).map(presentEndpoint)),
  )
  .post(
    "/",
    describe({
      id: "createEndpoint",
      headers: ["idempotency-key"],
      tag: "Moonshot",
      summary: "Create an endpoint",
      answer: { status: 200, description: "Endpoint created", schema: schemas.Said },
      refusals: [403, 409, 503],
      example: examples.endpoint,
    }),
    body(schemas.CreateEndpoint),
    requireRole("admin"),
    createOnce,
    async (c) => {
      const at = now();
      const db = database(c.env.DB);
      const input = c.req.valid("json");
      const endpoint = {
        ...fromInput(input),
        id: await slug(db, input.name),
        name: input.name,
        createdAt: at,
        updatedAt: at,
      } as Endpoint;
      const checked = check(endpoint, c.env);
      if (!checked.ok) return respondWithProblem(c, checked.failure);
      const token = await keep(endpoint, seal, c.env);
      if (token === null) return respondWithProblem(c, CANNOT_SEAL);
      const answer = { message: "Endpoint added successfully" };
      if (!(await createEndpoint(db, { ...endpoint, token }, answerToSave(c, answer, 200)))) {
        return respondWithProblem(c, {
          reason: "already-exists",
          resource: "endpoint",
          field: "id",
          value: endpoint.id,
        });
      }
      audit(c, "endpoint-created", { endpointId: endpoint.id });
      return c.json(answer);
    },
  )
  .get(
    "/:id",
    describe({
      id: "getEndpoint",
      tag: "Moonshot",
      summary: "Get an endpoint",
      answer: { status: 200, description: "The endpoint", schema: schemas.Endpoint },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const id = c.req.param("id");
      const endpoint = await findEndpoint(database(c.env.DB), id);
      return endpoint
        ? c.json(presentEndpoint(endpoint))
        : respondWithProblem(c, { reason: "not-found", resource: "endpoint", id });
    },
  )
  .put(
    "/:id",
    describe({
      id: "updateEndpoint",
      tag: "Moonshot",
      summary: "Update an endpoint: what is given of it",
      answer: { status: 200, description: "Endpoint updated", schema: schemas.Said },
      refusals: [403, 404, 503],
      example: { model: "gpt-4.1-mini" },
    }),
    body(schemas.UpdateEndpoint),
    requireRole("admin"),
    async (c) => {
      const db = database(c.env.DB);
      const id = c.req.param("id");
      const endpoint = await findEndpoint(db, id);
      if (!endpoint) return respondWithProblem(c, { reason: "not-found", resource: "endpoint", id });
      const changed = change(endpoint, fromInput(c.req.valid("json")));
      const checked = changed.ok ? check(changed.value, c.env) : changed;
      if (!checked.ok) return respondWithProblem(c, checked.failure);
      const isKept = checked.value.token === endpoint.token;
      const token = await keep(checked.value, isKept ? reseal : seal, c.env);
      if (token === null) return respondWithProblem(c, CANNOT_SEAL);
      await updateEndpoint(db, { ...checked.value, token, updatedAt: now() });
      audit(c, "endpoint-updated", { endpointId: id, fields: Object.keys(c.req.valid("json")) });
      return c.json({ message: "Endpoint updated successfully" });
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteEndpoint",
      tag: "Moonshot",
      summary: "Delete an endpoint that no chatbot stands on",
      answer: { status: 200, description: "Endpoint deleted", schema: schemas.Said },
      refusals: [403, 404, 409],
    }),
    requireRole("admin"),
    async (c) => {
      const db = database(c.env.DB);
      const id = c.req.param("id");
      if (await deleteEndpoint(db, id)) {
        audit(c, "endpoint-deleted", { endpointId: id });
        return c.json({ message: "Endpoint deleted successfully" });
      }
      const there = await findEndpoint(db, id);
      return respondWithProblem(
        c,
        there
          ? { reason: "in-use", resource: "endpoint", by: "a chatbot" }
          : { reason: "not-found", resource: "endpoint", id },
      );
    },
  );

function fromInput(input: z.output<typeof schemas.UpdateEndpoint>): Partial<Endpoint> {
  const fields = {
    name: input.name,
    connectorType: input.connector_type,
    uri: input.uri,
    token: input.token,
    model: input.model,
    maxCallsPerSecond: input.max_calls_per_second,
    maxConcurrency: input.max_concurrency,
    params: input.params,
    prices: input.prices && {
      inputPerMillion: input.prices.input_per_million,
      outputPerMillion: input.prices.output_per_million,
    },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The masked token keeps the one that is set, but does not go along to another origin: that would hand it over. */
function change(endpoint: Endpoint, given: Partial<Endpoint>): Outcome<Endpoint> {
  const { token, ...others } = given;
  const changed = { ...endpoint, ...others };
  const origin = originOf(changed);
  // An address that is none is refused as that.
  const moved = origin !== null && origin !== originOf(endpoint);
  const kept = token === undefined || token === SECRET_MASK;
  if (moved && kept && endpoint.token !== "")
    return invalid(["token"], "must be given again with an uri of another origin");
  return success({ ...changed, ...(kept ? {} : { token }) });
}

function originOf({ connectorType, uri }: Endpoint): string | null {
  const address = uri || PROVIDERS[connectorType].defaultUri;
  return address && URL.canParse(address) ? new URL(address).origin : null;
}

const CANNOT_SEAL: HttpProblem = {
  reason: "misconfigured",
  message:
    "An endpoint's token is stored encrypted, and ENCRYPTION_KEY is not set, or is not 32 bytes in base64: the operator can make one with openssl rand -base64 32",
};

/** An endpoint's token as it is stored; `null` when it cannot be sealed. */
async function keep({ id, token }: Endpoint, sealing: typeof seal, env: Env): Promise<string | null> {
  return isSecret(token) ? sealing(token, id, env) : token;
}

function check(endpoint: Endpoint, env: Env): Outcome<Endpoint> {
  if (endpoint.id === "") return invalid(["name"], "must have letters or digits to make an id of");
  if (endpoint.token.startsWith("env:") && secretNameOf(endpoint.token) === null) {
    return invalid(["token"], "may name only secrets that begin with PROVIDER_");
  }
  const fault = uriFault(endpoint, env);
  return fault === null ? success(endpoint) : invalid(["uri"], fault);
}

function uriFault({ connectorType, uri }: Endpoint, env: Env): string | null {
  if (uri === "") return PROVIDERS[connectorType].defaultUri === null ? "Field required" : null;
  const fault = urlProblem(uri, allowsPrivateUrls(env.ALLOW_PRIVATE_ENDPOINTS));
  if (fault !== null) return fault;
  // A call's path is added to it. What portals and documents show with an address may stay.
  const shown = { "azure-openai-connector": /\?api-version=[\w.-]+$/, "google-gemini-connector": /\?alt=sse$/ };
  const path = uri.replace(Reflect.get(shown, connectorType) ?? /$^/, "");
  if (/[?#]/.test(path)) return "must not contain a query or a fragment; a key belongs in token";
  return PROVIDERS[connectorType].unsupportedUrl?.test(path.replace(/\/+$/, "")) === true
    ? "is the address of another interface: give the base address, as in the guide on connectors"
    : null;
}
