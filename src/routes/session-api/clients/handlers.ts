/**
 * The handlers of `/clients`: each gets input that has been validated and answers in the Session API's envelope.
 * Effects: queries to D1, audit lines, RPC to close the subscriptions of a deleted client.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { evictCachedKeys } from "../../../auth/api-keys.ts";
import { revocableClientId } from "../../../core/caller.ts";
import { invalid } from "../../../core/failure.ts";
import { newObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import * as store from "../../../store/chatbots-and-clients.ts";
import { database, isUniqueViolation } from "../../../store/database.ts";
import type { Database } from "../../../store/database.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { closeSubscriptions } from "../close-subscriptions.ts";
import { itemBody, mutationBody, pageBody, removalBody, updatedAtAfter } from "../envelope.ts";
import { evictCachedOwner } from "../../http/session-owners.ts";
import { presentClient } from "./present.ts";
import * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

export const CLIENT_NOT_FOUND = { reason: "not-found", resource: "client", id: null } as const;

/** The problem of an `externalId` that another client has, with the id of that client. */
async function externalIdTaken(db: Database, externalId: string | null): Promise<HttpProblem> {
  const value = externalId ?? "";
  const other = await store.findClientByExternalId(db, value);
  return {
    reason: "already-exists",
    resource: "client",
    field: "externalId",
    value,
    ...(other ? { id: other.id } : {}),
  };
}

/** Waits for a write. @returns whether it succeeded; not when another client has the `externalId` */
async function tryWrite(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}

export async function createClient(c: AppContext, input: z.output<typeof schemas.CreateClient>) {
  const { name, email = null, externalId = null, metadata = null } = input;
  const at = now();
  const times = { createdAt: at, updatedAt: at, deletedAt: null };
  const client = { id: newObjectId(at), name, email, externalId, metadata, ...times };
  const answer = mutationBody(presentClient(client), "Client created successfully");
  const db = database(c.env.DB);
  const write = store.clientStore.create(db, client, saveResponseStatements(c, `client:${client.id}`, answer, 201));
  return (await tryWrite(write)) ? c.json(answer, 201) : respondWithProblem(c, await externalIdTaken(db, externalId));
}

export async function listClients(c: AppContext, input: z.output<typeof schemas.ListClients>) {
  const { limit, skip, searchString = null, externalId } = input;
  const filter = externalId === undefined ? undefined : store.hasExternalId(externalId);
  const page = await readFromReplica(c, (db) => store.clientStore.list(db, searchString, { limit, skip }, filter));
  return c.json(pageBody({ ...page, results: page.results.map(presentClient) }, { limit, skip }));
}

export async function getClient(c: AppContext, id: string) {
  const client = await store.clientStore.find(database(c.env.DB), id);
  return client ? c.json(itemBody(presentClient(client))) : respondWithProblem(c, CLIENT_NOT_FOUND);
}

export async function updateClient(c: AppContext, id: string, changes: z.output<typeof schemas.UpdateClient>) {
  const db = database(c.env.DB);
  const client = await store.clientStore.find(db, id);
  if (!client) return respondWithProblem(c, CLIENT_NOT_FOUND);
  const updated = { ...client, ...(changes as Partial<typeof client>), updatedAt: updatedAtAfter(changes, client) };
  if (!(await tryWrite(store.clientStore.update(db, updated))))
    return respondWithProblem(c, await externalIdTaken(db, updated.externalId));
  return c.json(mutationBody(presentClient(updated), "Client updated successfully"));
}

/** Creates the client with an `externalId`, or changes what is given of it. */
export async function createOrUpdateClient(
  c: AppContext,
  externalId: string,
  input: z.output<typeof schemas.UpdateClient>,
) {
  const issue = externalIdIssue(externalId, input.externalId);
  if (issue !== null) return respondWithProblem(c, invalid(["externalId"], issue).failure);
  const { name, email, metadata } = input;
  const at = now();
  const given = { ...(email === undefined ? {} : { email }), ...(metadata === undefined ? {} : { metadata }) };
  const db = database(c.env.DB);
  if (name === undefined) {
    const updated = await store.updateClientByExternalId(db, externalId, { ...given, updatedAt: at });
    if (!updated) return respondWithProblem(c, invalid(["name"], "Field required").failure);
    return c.json(mutationBody(presentClient(updated), "Client updated successfully"));
  }
  const times = { createdAt: at, updatedAt: at, deletedAt: null };
  const created = { id: newObjectId(at), name, email: null, externalId, metadata: null, ...given, ...times };
  const client = await store.createOrUpdateClient(db, created, { name, ...given, updatedAt: at });
  return client.id === created.id
    ? c.json(mutationBody(presentClient(client), "Client created successfully"), 201)
    : c.json(mutationBody(presentClient(client), "Client updated successfully"));
}

/** What is wrong with the `externalId` of a path, or with the one in the body. */
function externalIdIssue(inPath: string, inBody: string | null | undefined): string | null {
  const { error } = schemas.externalId.safeParse(inPath);
  if (error) return error.issues.map(({ message }) => message).join(", ");
  return inBody === undefined || inBody === inPath ? null : "must be the one in the path, or left out";
}

export async function deleteClient(c: AppContext, id: string) {
  const db = database(c.env.DB);
  const deletion = auditIfLost(c, "client-deleted", { clientId: id }, store.deleteClient(db, id, now()));
  const deleted = await deletion.finally(() => {
    evictCachedKeys(({ clientId }) => clientId === id, now());
    evictCachedOwner(id);
  });
  if (deleted) {
    const { revokedKeys, subscribedKeyIds } = deleted;
    audit(c, "client-deleted", { clientId: id, revokedKeys });
    closeSubscriptions(c, subscribedKeyIds && [revocableClientId(id), ...subscribedKeyIds]);
    return c.json(removalBody("Client deleted successfully"));
  }
  if (!(await store.clientStore.find(db, id))) return respondWithProblem(c, CLIENT_NOT_FOUND);
  return respondWithProblem(c, { reason: "in-use", resource: "client", users: await store.clientStore.users(db, id) });
}
