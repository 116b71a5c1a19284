import { Hono } from "hono";
import { asObjectId, newObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { database, isUniqueViolation } from "../../../store/database.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { audit } from "../../http/audit.ts";
import { requireRole } from "../../http/authenticate.ts";
import { ListByName } from "../chatbots/schemas.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import {
  removalSchema,
  itemBody,
  pageBody,
  mutationSchema,
  itemSchema,
  mutationBody,
  pageSchema,
  timeOfChange,
} from "../envelope.ts";
import { createOnce, answerToSave } from "../../http/idempotency.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { body, query } from "../../http/validate.ts";
import { presentClient } from "./present.ts";
import * as schemas from "./schemas.ts";

const noClient = { reason: "not-found", resource: "client", id: null } as const;
const taken = (value: string | null) =>
  ({ reason: "already-exists", resource: "client", field: "externalId", value: value ?? "" }) as const;

/** Whether a write went through; not when the `externalId` is another client's. */
async function isFree(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isUniqueViolation(error)) return false;
    throw error;
  }
}

/** `/clients`: the people whom chatbots serve. */
export const clients = new Hono<AppEnv>({ strict: false })
  .post(
    "/",
    describe({
      id: "createClient",
      headers: ["idempotency-key"],
      tag: "Clients",
      summary: "Create a client",
      answer: { status: 201, description: "Client created", schema: mutationSchema(schemas.Client) },
      refusals: [409],
      example: { name: "Ada", externalId: "customer-1042" },
    }),
    body(schemas.CreateClient),
    requireRole("admin", "service"),
    createOnce,
    async (c) => {
      const { name, email = null, externalId = null, metadata = null } = c.req.valid("json");
      const at = now();
      const made = { id: newObjectId(at), createdAt: at, updatedAt: at, deletedAt: null };
      const client = { ...made, name, email, externalId, metadata };
      const answer = mutationBody(presentClient(client), "Client created successfully");
      const created = clientStore.create(database(c.env.DB), client, answerToSave(c, answer, 201));
      return (await isFree(created)) ? c.json(answer, 201) : respondWithProblem(c, taken(externalId));
    },
  )
  .get(
    "/",
    describe({
      id: "listClients",
      headers: ["x-d1-bookmark"],
      tag: "Clients",
      summary: "List and search clients, newest first",
      answer: { status: 200, description: "A page of clients", schema: pageSchema(schemas.Client) },
    }),
    query(ListByName),
    requireRole("admin", "service"),
    async (c) => {
      const { limit, skip, searchString = null } = c.req.valid("query");
      const page = await readFromReplica(c, (db) => clientStore.list(db, searchString, { limit, skip }));
      return c.json(pageBody({ ...page, results: page.results.map(presentClient) }, { limit, skip }));
    },
  )
  .get(
    "/:id",
    describe({
      id: "getClient",
      tag: "Clients",
      summary: "Get a client",
      answer: { status: 200, description: "The client", schema: itemSchema(schemas.Client) },
      refusals: [404],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const client = await clientStore.find(database(c.env.DB), asObjectId(c.req.param("id")) ?? "");
      return client ? c.json(itemBody(presentClient(client))) : respondWithProblem(c, noClient);
    },
  )
  .put(
    "/:id",
    describe({
      id: "updateClient",
      tag: "Clients",
      summary: "Update a client",
      answer: { status: 200, description: "Client updated", schema: mutationSchema(schemas.Client) },
      refusals: [404, 409],
      example: { email: "ada@example.com" },
    }),
    body(schemas.UpdateClient),
    requireRole("admin", "service"),
    async (c) => {
      const db = database(c.env.DB);
      const client = await clientStore.find(db, asObjectId(c.req.param("id")) ?? "");
      if (!client) return respondWithProblem(c, noClient);
      const changes = c.req.valid("json");
      const updated = { ...client, ...(changes as Partial<typeof client>), updatedAt: timeOfChange(client, changes) };
      if (!(await isFree(clientStore.update(db, updated)))) return respondWithProblem(c, taken(updated.externalId));
      return c.json(mutationBody(presentClient(updated), "Client updated successfully"));
    },
  )
  .delete(
    "/:id",
    describe({
      id: "deleteClient",
      tag: "Clients",
      summary: "Delete a client who has no open session",
      answer: { status: 200, description: "Client deleted", schema: removalSchema },
      refusals: [404, 409],
    }),
    requireRole("admin", "service"),
    async (c) => {
      const db = database(c.env.DB);
      const id = asObjectId(c.req.param("id")) ?? "";
      if (await clientStore.remove(db, id, now())) {
        audit(c, "client-deleted", { clientId: id });
        return c.json({ success: true as const, message: "Client deleted successfully" });
      }
      const there = await clientStore.find(db, id);
      return respondWithProblem(
        c,
        there ? { reason: "in-use", resource: "client", by: "sessions that have not ended" } : noClient,
      );
    },
  );
