/**
 * The handlers of `/chatbots`: each gets input that has been validated and answers in the Session API's envelope.
 * Effects: queries to D1, audit lines.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Chatbot } from "../../../core/chatbot.ts";
import type { Endpoint } from "../../../core/endpoint.ts";
import type { Outcome } from "../../../core/failure.ts";
import { invalid, success } from "../../../core/failure.ts";
import { newObjectId } from "../../../core/id.ts";
import { overriddenPins } from "../../../core/param-names.ts";
import { now } from "../../../core/time.ts";
import { findParamProblem } from "../../../providers/registry.ts";
import { chatbotStore, deleteChatbot as removeChatbot } from "../../../store/chatbots-and-clients.ts";
import { database } from "../../../store/database.ts";
import type { Database } from "../../../store/database.ts";
import { endpointNotFound, findEndpoint } from "../../../store/endpoints.ts";
import { fitChatbots } from "../../../store/fit-list.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";
import { saveResponseStatements } from "../../http/idempotency.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { itemBody, mutationBody, pageBody, removalBody, updatedAtAfter } from "../envelope.ts";
import { presentChatbot } from "./present.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

export const CHATBOT_NOT_FOUND = { reason: "not-found", resource: "chatbot", id: null } as const;

export async function createChatbot(c: AppContext, input: z.output<typeof schemas.CreateChatbot>) {
  const { description = null, systemPrompt = null, greeting = null, params = null, ...others } = input;
  const { takeoverTimeoutMinutes = null, context = null, ...required } = others;
  const db = database(c.env.DB);
  const [endpoint, summariser] = await Promise.all([
    findEndpointFor(db, { endpointId: input.endpointId, params }),
    findSummaryEndpoint(db, context),
  ]);
  if (!endpoint.ok) return respondWithProblem(c, endpoint.failure);
  if (!summariser.ok) return respondWithProblem(c, summariser.failure);
  const at = now();
  const times = { createdAt: at, updatedAt: at, deletedAt: null };
  const texts = { description, systemPrompt, greeting, params };
  const chatbot = { id: newObjectId(at), ...required, ...texts, context, takeoverTimeoutMinutes, ...times };
  const answer = mutationBody(presentChatbot(chatbot), "Chatbot created successfully");
  await chatbotStore.create(db, chatbot, saveResponseStatements(c, `chatbot:${chatbot.id}`, answer, 201));
  return c.json(answer, 201);
}

/** Finds the endpoint of a chatbot. Its connector must know the chatbot's params, and none may override a pinned one. */
async function findEndpointFor(
  db: Database,
  { endpointId, params }: Pick<Chatbot, "endpointId" | "params">,
): Promise<Outcome<Endpoint>> {
  const endpoint = await findEndpoint(db, endpointId);
  if (!endpoint) return endpointNotFound(db, endpointId);
  const param = findParamProblem(endpoint.connectorType, params ?? "{}");
  if (param) return invalid(["params", param.name], param.message);
  const [name] = overriddenPins(JSON.parse(params ?? "{}") as object, endpoint.pinned ?? []);
  return name === undefined
    ? success(endpoint)
    : invalid(["params", name], `is pinned by the endpoint "${endpointId}": only an admin can change it there`);
}

/** Checks that the endpoint for summaries exists, if there is to be one. */
async function findSummaryEndpoint(db: Database, context: Chatbot["context"]): Promise<Outcome<Endpoint | null>> {
  if (context?.summaryEndpointId === undefined) return success(null);
  const endpoint = await findEndpoint(db, context.summaryEndpointId);
  return endpoint ? success(endpoint) : endpointNotFound(db, context.summaryEndpointId);
}

export async function listChatbots(c: AppContext, input: z.output<typeof schemas.ListByName>) {
  const { limit, skip, searchString = null } = input;
  const page = await readFromReplica(c, (db) => chatbotStore.list(db, searchString, { limit, skip }));
  return c.json(pageBody({ ...page, results: fitChatbots(page.results).map(presentChatbot) }, { limit, skip }));
}

export async function getChatbot(c: AppContext, id: string) {
  const chatbot = await chatbotStore.find(database(c.env.DB), id);
  return chatbot ? c.json(itemBody(presentChatbot(chatbot))) : respondWithProblem(c, CHATBOT_NOT_FOUND);
}

export async function updateChatbot(c: AppContext, id: string, changes: z.output<typeof schemas.UpdateChatbot>) {
  const db = database(c.env.DB);
  const chatbot = await chatbotStore.find(db, id);
  if (!chatbot) return respondWithProblem(c, CHATBOT_NOT_FOUND);
  const updated = {
    ...chatbot,
    ...(changes as Partial<typeof chatbot>),
    updatedAt: updatedAtAfter(changes, chatbot),
  };
  if (updated.endpointId !== chatbot.endpointId || updated.params !== chatbot.params) {
    const endpoint = await findEndpointFor(db, updated);
    if (!endpoint.ok) return respondWithProblem(c, endpoint.failure);
  }
  if (changes.context) {
    const summariser = await findSummaryEndpoint(db, updated.context);
    if (!summariser.ok) return respondWithProblem(c, summariser.failure);
  }
  await chatbotStore.update(db, updated);
  return c.json(mutationBody(presentChatbot(updated), "Chatbot updated successfully"));
}

export async function deleteChatbot(c: AppContext, id: string) {
  const db = database(c.env.DB);
  if (await auditIfLost(c, "chatbot-deleted", { chatbotId: id }, removeChatbot(db, id, now()))) {
    audit(c, "chatbot-deleted", { chatbotId: id });
    return c.json(removalBody("Chatbot deleted successfully"));
  }
  if (!(await chatbotStore.find(db, id))) return respondWithProblem(c, CHATBOT_NOT_FOUND);
  return respondWithProblem(c, { reason: "in-use", resource: "chatbot", users: await chatbotStore.users(db, id) });
}
