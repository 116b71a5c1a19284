/**
 * Creates, changes and deletes endpoints, from input that has been validated, and answers as both of Moonshot's APIs do.
 * Tokens are stored sealed, and no answer contains one. Effects: queries to D1, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Endpoint } from "../../../core/endpoint.ts";
import { invalid } from "../../../core/failure.ts";
import { now } from "../../../core/time.ts";
import { canSeal, isSecret, reseal, seal } from "../../../crypto/sealed-tokens.ts";
import { originOf } from "../../../providers/registry.ts";
import { database } from "../../../store/database.ts";
import * as store from "../../../store/endpoints.ts";
import { slug } from "../../../store/slug.ts";
import { readUsers, usersOfEndpoint } from "../../../store/users.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { applyChanges, changesOf, checkEndpoint, checkRequired, newEndpoint } from "./endpoint-rules.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const SEALING_UNAVAILABLE: HttpProblem = {
  reason: "misconfigured",
  message:
    "The token of an endpoint is stored encrypted, and ENCRYPTION_KEY is not set, or is not 32 bytes in base64. The operator can create a key with openssl rand -base64 32",
};

const UNREADABLE_TOKEN = invalid(["token"], "No key opens the stored token: send the token itself").failure;

export async function createEndpoint(c: AppContext, input: z.output<typeof schemas.CreateEndpoint>) {
  const db = database(c.env.DB);
  const required = checkRequired(input);
  if (!required.ok) return respondWithProblem(c, required.failure);
  const at = now();
  const identity = { id: await slug(db, input.name), createdAt: at, updatedAt: at };
  const checked = checkEndpoint(newEndpoint(input, identity), c.env);
  if (!checked.ok) return respondWithProblem(c, checked.failure);
  const endpoint = checked.value;
  const token = await sealToken(endpoint, seal, c.env);
  if (token === null) return respondWithProblem(c, SEALING_UNAVAILABLE);
  const answer = { message: "Endpoint added successfully", id: endpoint.id };
  const saveAnswer = saveResponseStatements(c, `endpoint:${endpoint.id}`, answer, 200);
  if (!(await store.createEndpoint(db, { ...endpoint, token }, saveAnswer)))
    return respondWithProblem(c, { reason: "already-exists", resource: "endpoint", field: "id", value: endpoint.id });
  audit(c, "endpoint-created", { endpointId: endpoint.id });
  return c.json(answer);
}

export async function updateEndpoint(c: AppContext, id: string, input: z.output<typeof schemas.UpdateEndpoint>) {
  const db = database(c.env.DB);
  const endpoint = await store.findEndpoint(db, id);
  if (!endpoint) return respondWithEndpointNotFound(c, id);
  const changed = applyChanges(endpoint, changesOf(input));
  const checked = changed.ok ? checkEndpoint(changed.value, c.env) : changed;
  if (!checked.ok) return respondWithProblem(c, checked.failure);
  const token = await changedToken(checked.value, { before: endpoint.token, sent: input.token }, c.env);
  if (typeof token !== "string") return respondWithProblem(c, token);
  await store.updateEndpoint(db, { ...checked.value, token, updatedAt: now() });
  const fields = Object.entries(input).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  audit(c, "endpoint-updated", { endpointId: id, fields });
  return c.json({ message: "Endpoint updated successfully" });
}

export async function deleteEndpoint(c: AppContext, id: string) {
  const db = database(c.env.DB);
  if (await auditIfLost(c, "endpoint-deleted", { endpointId: id }, store.deleteEndpoint(db, id))) {
    audit(c, "endpoint-deleted", { endpointId: id });
    return c.json({ message: "Endpoint deleted successfully" });
  }
  if (!(await store.findEndpoint(db, id))) return respondWithEndpointNotFound(c, id);
  const users = await readUsers(db, usersOfEndpoint(id));
  return respondWithProblem(c, { reason: "in-use", resource: "endpoint", users });
}

export async function respondWithEndpointNotFound(c: AppContext, id: string) {
  return respondWithProblem(c, (await store.endpointNotFound(database(c.env.DB), id)).failure);
}

/** The token of a changed endpoint as it is stored. A token that stays is encrypted with the current key. */
async function changedToken(
  endpoint: Endpoint,
  { before, sent }: { before: string; sent: string | undefined },
  env: Env,
): Promise<string | HttpProblem> {
  const isSame = endpoint.token === before;
  const token = await sealToken(endpoint, isSame ? reseal : seal, env);
  if (token !== null) return token;
  // Whoever sends no token, not even the mask, wants nothing done with it.
  if (isSame && sent === undefined) return before;
  return isSame && canSeal(env) ? UNREADABLE_TOKEN : SEALING_UNAVAILABLE;
}

/** The token as it is stored; `null` when it cannot be sealed. The name of a secret is stored as it is. */
async function sealToken(endpoint: Endpoint, sealing: typeof seal, env: Env): Promise<string | null> {
  const { id: endpointId, connectorType, token } = endpoint;
  const binding = { endpointId, connectorType, origin: originOf(endpoint) ?? "" };
  return isSecret(token) ? sealing(token, binding, env) : token;
}
