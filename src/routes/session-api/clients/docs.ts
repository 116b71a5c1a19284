/**
 * The routes of `/clients` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies and
 * queries are not described here: the validators in `index.ts` document their own schemas.
 */
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema, mutationSchema, pageSchema, removalSchema } from "../envelope-schemas.ts";
import { statisticsOperation } from "../statistics/docs.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Clients";

export const operations: Operations = {
  "POST /": {
    id: "createClient",
    headers: ["idempotency-key"],
    tag,
    summary: "Create a client",
    response: { status: 201, description: "Client created", schema: mutationSchema(schemas.Client) },
    problems: [409],
    example: { name: "Ada", externalId: "customer-1042" },
  },
  "GET /": {
    id: "listClients",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List and search clients, newest first. A search looks at name, email and external id",
    response: { status: 200, description: "A page of clients", schema: pageSchema(schemas.Client) },
  },
  "GET /:id": {
    id: "getClient",
    tag,
    summary: "Get a client",
    response: { status: 200, description: "The client", schema: itemSchema(schemas.Client) },
    problems: [404],
  },
  ...statisticsOperation("client", tag),
  "PUT /:id": {
    id: "updateClient",
    tag,
    summary: "Update a client",
    response: { status: 200, description: "Client updated", schema: mutationSchema(schemas.Client) },
    problems: [404, 409],
    example: { email: "ada@example.com" },
  },
  "PUT /by-external-id/:externalId": {
    fixedSegment: { name: "lookup", value: "by-external-id" },
    id: "createOrUpdateClient",
    tag,
    summary: "Create the client with an external id, or update what is given of it. To create one, `name` is required",
    response: { status: 200, description: "Client updated", schema: mutationSchema(schemas.Client) },
    otherResponses: [{ status: 201, description: "Client created", schema: mutationSchema(schemas.Client) }],
    example: { name: "Ada", email: "ada@example.com" },
  },
  "DELETE /:id": {
    id: "deleteClient",
    tag,
    summary: "Delete a client who has no open session",
    response: { status: 200, description: "Client deleted", schema: removalSchema },
    problems: [404, 409],
  },
};
