/**
 * The handlers of `/clients`: each gets input that has been validated and answers in the Session API's envelope.
 * Effects: queries to D1, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { newObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { database, isUniqueViolation } from "../../../store/database.ts";
import { audit } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import type { ListByName } from "../chatbots/schemas.ts";
import { itemBody, mutationBody, pageBody, removalBody, updatedAtAfter } from "../envelope.ts";
import { presentClient } from "./present.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

export const CLIENT_NOT_FOUND = { reason: "not-found", resource: "client", id: null } as const;

const CLIENT_IN_USE = { reason: "in-use", resource: "client", by: "sessions that have not ended" } as const;

const externalIdTaken = (value: string | null) =>
  ({ reason: "already-exists", resource: "client", field: "externalId", value: value ?? "" }) as const;

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
  const write = clientStore.create(
    database(c.env.DB),
    client,
    saveResponseStatements(c, `client:${client.id}`, answer, 201),
  );
  return (await tryWrite(write)) ? c.json(answer, 201) : respondWithProblem(c, externalIdTaken(externalId));
}

export async function listClients(c: AppContext, input: z.output<typeof ListByName>) {
  const { limit, skip, searchString = null } = input;
  const page = await readFromReplica(c, (db) => clientStore.list(db, searchString, { limit, skip }));
  return c.json(pageBody({ ...page, results: page.results.map(presentClient) }, { limit, skip }));
}

export async function getClient(c: AppContext, id: string) {
  const client = await clientStore.find(database(c.env.DB), id);
  return client ? c.json(itemBody(presentClient(client))) : respondWithProblem(c, CLIENT_NOT_FOUND);
}

export async function updateClient(c: AppContext, id: string, changes: z.output<typeof schemas.UpdateClient>) {
  const db = database(c.env.DB);
  const client = await clientStore.find(db, id);
  if (!client) return respondWithProblem(c, CLIENT_NOT_FOUND);
  const updated = { ...client, ...(changes as Partial<typeof client>), updatedAt: updatedAtAfter(changes, client) };
  if (!(await tryWrite(clientStore.update(db, updated))))
    return respondWithProblem(c, externalIdTaken(updated.externalId));
  return c.json(mutationBody(presentClient(updated), "Client updated successfully"));
}

export async function deleteClient(c: AppContext, id: string) {
  const db = database(c.env.DB);
  if (await clientStore.remove(db, id, now())) {
    audit(c, "client-deleted", { clientId: id });
    return c.json(removalBody("Client deleted successfully"));
  }
  const exists = await clientStore.find(db, id);
  return respondWithProblem(c, exists ? CLIENT_IN_USE : CLIENT_NOT_FOUND);
}
