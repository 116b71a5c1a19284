/**
 * The models of OpenAI's API: every endpoint by its id, and every chatbot as `chatbot:<id>`. A client sees chatbots and no
 * endpoint. Effects: queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Chatbot } from "../../core/chatbot.ts";
import type { Client } from "../../core/client.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { asObjectId } from "../../core/id.ts";
import { database } from "../../store/database.ts";
import { endpointNotFound } from "../../store/endpoints.ts";
import { currentChat, currentEndpoint, modelPages } from "../../store/models.ts";
import type { ListedModel } from "../../store/models.ts";
import type { AppEnv } from "../http/context.ts";
import { hasLeft, measure, readFromReplica } from "../http/context.ts";
import { respondWithJsonStream } from "../http/json-stream.ts";
import type { HttpProblem } from "../http/problem.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { CallerLeft } from "../../core/failure.ts";
import type { Batch } from "../../core/page.ts";
import type { ListPages } from "../../store/list-pages.ts";
import { CHATBOT_PREFIX } from "./model-ids.ts";
import type { Model } from "./response-schemas.ts";

type AppContext = Context<AppEnv>;

/** What a model's name stands for. */
export interface NamedModel {
  /** `null` for an endpoint that is called without a chatbot. */
  chatbot: Chatbot | null;
  /** `null` if the chatbot's endpoint no longer exists. */
  endpoint: Endpoint | null;
  /** The caller's client. */
  client: Client | null;
}

export async function listModels(c: AppContext) {
  const { role } = c.var.caller;
  const [pages, first] = await readFromReplica(c, async (db) => {
    const list = modelPages(db, role === "client" ? "chatbots" : "all");
    return [list, (await list.next()).value] as const;
  });
  const present = (model: ListedModel) => presentModel(model, role);
  if (!first?.hasMore) return c.json({ object: "list", data: first?.items.map(present) ?? [] });
  const data = presentAll(first, pages, present, () => hasLeft(c));
  return respondWithJsonStream(c, { object: "list", data });
}

async function* presentAll(
  first: Batch<ListedModel>,
  rest: ListPages<ListedModel>,
  present: (model: ListedModel) => object,
  hasCallerLeft: () => boolean,
) {
  for (const model of first.items) yield present(model);
  for await (const { items } of rest) {
    if (hasCallerLeft()) throw new CallerLeft();
    for (const model of items) yield present(model);
  }
}

export async function getModel(c: AppContext, id: string) {
  const found = await findModel(c, id);
  if ("reason" in found) return respondWithProblem(c, found);
  const { chatbot, endpoint } = found;
  const { name, createdAt } = chatbot ?? endpoint ?? { name: id, createdAt: 0 };
  const model = {
    id: chatbot ? CHATBOT_PREFIX + chatbot.id : (endpoint?.id ?? ""),
    name,
    createdAt,
    connectorType: endpoint?.connectorType ?? null,
  };
  return c.json(presentModel(model, c.var.caller.role));
}

/** To clients, which connector a chatbot uses is not shown: they see no endpoints. */
const presentModel = (
  { id, name, createdAt, connectorType }: ListedModel,
  role: string | null,
): z.output<typeof Model> => ({
  id,
  object: "model",
  created: Math.floor(createdAt / 1000),
  owned_by: role === "client" ? "parley" : (connectorType ?? "parley"),
  name,
});

/** Finds a model by its name, as it was within the last two seconds. */
export async function findModel(c: AppContext, id: string): Promise<NamedModel | HttpProblem> {
  const keepAlive = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const { role, clientId } = c.var.caller;
  if (id.startsWith(CHATBOT_PREFIX)) {
    const chatbotId = asObjectId(id.slice(CHATBOT_PREFIX.length));
    if (chatbotId === null) return modelNotFound(id);
    const chat = await measure(c, "index", currentChat(c.env.DB, { chatbotId, clientId }, keepAlive));
    if (chat.chatbot?.deletedAt !== null) return modelNotFound(id);
    if (clientId !== null && chat.client?.deletedAt !== null)
      return { reason: "not-found", resource: "client", id: null };
    return chat;
  }
  if (role === "client") return modelNotFound(id);
  const endpoint = await measure(c, "index", currentEndpoint(c.env.DB, id, keepAlive));
  if (endpoint) return { chatbot: null, endpoint, client: null };
  return { ...(await endpointNotFound(database(c.env.DB), id)).failure, ...modelNotFound(id) };
}

const modelNotFound = (id: string) => ({ reason: "not-found", resource: "model", id: id.slice(0, 200) }) as const;
