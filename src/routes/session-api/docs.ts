/** The Session API in the OpenAPI document: its tags, its failures, and the operations of its resources. */
import { mountedAt } from "../openapi/operations.ts";
import type { DialectDocs } from "../openapi/operations.ts";
import { operations as chatbots } from "./chatbots/docs.ts";
import { operations as clients } from "./clients/docs.ts";
import { sessionApi } from "./dialect.ts";
import { SessionApiFailure } from "./envelope-schemas.ts";
import { operations as feedback, operationsOfSession } from "./feedback/docs.ts";
import { operations as keys } from "./keys/docs.ts";
import { operations as me } from "./me/docs.ts";
import { operations as sessions } from "./sessions/docs.ts";

export const sessionApiDocs: DialectDocs = {
  dialect: sessionApi,
  tags: {
    Sessions: "Chat sessions between chatbots and clients",
    Chatbots: "Endpoints with a persona",
    Clients: "The people who talk to chatbots",
    Feedback: "What people say of the chatbots' answers",
    Keys: "API keys, and who a token belongs to",
  },
  problemSchema: () => SessionApiFailure,
  operations: {
    ...mountedAt("/sessions", { ...sessions, ...operationsOfSession }),
    ...mountedAt("/chatbots", chatbots),
    ...mountedAt("/clients", clients),
    ...mountedAt("/feedback", feedback),
    ...mountedAt("/keys", keys),
    ...mountedAt("/me", me),
  },
};
