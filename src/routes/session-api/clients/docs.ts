/**
 * The routes of `/clients` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import { describe } from "../../openapi/describe.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope.ts";
import * as schemas from "./schemas.ts";

const tag = "Clients";

export const createClient = describe({
  id: "createClient",
  headers: ["idempotency-key"],
  tag,
  summary: "Create a client",
  response: { status: 201, description: "Client created", schema: mutationSchema(schemas.Client) },
  problems: [409],
  example: { name: "Ada", externalId: "customer-1042" },
});

export const listClients = describe({
  id: "listClients",
  headers: ["x-d1-bookmark"],
  tag,
  summary: "List and search clients, newest first. A search looks at name, email and external id",
  response: { status: 200, description: "A page of clients", schema: pageSchema(schemas.Client) },
});

export const getClient = describe({
  id: "getClient",
  tag,
  summary: "Get a client",
  response: { status: 200, description: "The client", schema: itemSchema(schemas.Client) },
  problems: [404],
});

export const updateClient = describe({
  id: "updateClient",
  tag,
  summary: "Update a client",
  response: { status: 200, description: "Client updated", schema: mutationSchema(schemas.Client) },
  problems: [404, 409],
  example: { email: "ada@example.com" },
});

export const createOrUpdateClient = describe({
  id: "createOrUpdateClient",
  tag,
  summary: "Create the client with an external id, or update what is given of it. To create one, `name` is required",
  response: { status: 200, description: "Client updated", schema: mutationSchema(schemas.Client) },
  otherResponses: [{ status: 201, description: "Client created", schema: mutationSchema(schemas.Client) }],
  example: { name: "Ada", email: "ada@example.com" },
});

export const deleteClient = describe({
  id: "deleteClient",
  tag,
  summary: "Delete a client who has no open session",
  response: { status: 200, description: "Client deleted", schema: removalSchema },
  problems: [404, 409],
});
