import { and, eq, isNull, sql } from "drizzle-orm";
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { PromptTemplate } from "../core/prompt-template.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Session } from "../core/session.ts";
import type { Database } from "./database.ts";
import { chatbots, clients, endpoints, promptTemplates } from "./tables.ts";

/** What a chat turn needs to know beside the log. What was deleted is `null`. */
export interface ChatContext {
  chatbot: Chatbot | null;
  endpoint: Endpoint | null;
  client: Client | null;
}

/** What a comparison turn needs: the endpoints as they are now, and the template in force. */
export interface ComparisonContext {
  endpoints: Endpoint[];
  template: PromptTemplate | null;
}

/** What a turn of either kind of session needs to know beside the log. */
export type TurnContext = { of: "chat"; chat: ChatContext } | { of: "comparison"; comparison: ComparisonContext };

/** One round trip, three rows read. */
export async function readChatbotContext(
  db: Database,
  { chatbotId, clientId }: Pick<Session, "chatbotId" | "clientId">,
): Promise<ChatContext> {
  const row = await chatbotQuery(db).get({ chatbotId, clientId });
  return { chatbot: row?.chatbot ?? null, endpoint: row?.endpoint ?? null, client: row?.client ?? null };
}

// Every chat asks this, and to build the query takes longer than to answer it.
const chatbotQueries = new WeakMap<Database, ReturnType<typeof prepareChatbotQuery>>();

function chatbotQuery(db: Database): ReturnType<typeof prepareChatbotQuery> {
  const cached = chatbotQueries.get(db) ?? prepareChatbotQuery(db);
  chatbotQueries.set(db, cached);
  return cached;
}

const prepareChatbotQuery = (db: Database) =>
  db
    .select({ chatbot: chatbots, endpoint: endpoints, client: clients })
    .from(chatbots)
    .leftJoin(endpoints, eq(endpoints.id, chatbots.endpointId))
    .leftJoin(clients, and(eq(clients.id, sql.placeholder("clientId")), isNull(clients.deletedAt)))
    .where(and(eq(chatbots.id, sql.placeholder("chatbotId")), isNull(chatbots.deletedAt)))
    .prepare();

/** One round trip. */
export async function readComparisonContext(
  db: Database,
  { chats, promptTemplate }: Pick<Session, "chats" | "promptTemplate">,
): Promise<ComparisonContext> {
  const ids = JSON.stringify(chats.map(({ endpointId }) => endpointId));
  const selectEndpoints = db
    .select()
    .from(endpoints)
    .where(sql`${endpoints.id} in (select value from json_each(${ids}))`);
  if (promptTemplate === null) return { endpoints: await selectEndpoints, template: null };
  const selectTemplate = db.select().from(promptTemplates).where(eq(promptTemplates.name, promptTemplate));
  const [rows, [template]] = await db.batch([selectEndpoints, selectTemplate]);
  return { endpoints: rows, template: template ?? null };
}
