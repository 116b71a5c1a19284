/**
 * Reads from D1 what a turn needs besides the log: chatbot, client, endpoints, template. How it becomes a request is in
 * `turn/`. Effects: D1.
 */
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { PromptTemplate } from "../core/prompt-template.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Session } from "../core/session.ts";
import type { Database } from "./database.ts";
import { chatbots, clients, endpoints, promptTemplates } from "./tables.ts";

/** Records for a turn of a chatbot session. `null` stands for a deleted record. */
export interface ChatContext {
  chatbot: Chatbot | null;
  endpoint: Endpoint | null;
  client: Client | null;
}

/** Records for a turn of a comparison session: the current endpoints, and the session's template. */
export interface ComparisonContext {
  endpoints: Endpoint[];
  template: PromptTemplate | null;
}

/** Records for a turn of either kind of session. */
export type TurnContext = { of: "chat"; chat: ChatContext } | { of: "comparison"; comparison: ComparisonContext };

/** One round trip that reads three rows. */
export async function readChatbotContext(
  db: Database,
  { chatbotId, clientId }: Pick<Session, "chatbotId" | "clientId">,
): Promise<ChatContext> {
  const row = await chatbotQuery(db).get({ chatbotId, clientId });
  return { chatbot: row?.chatbot ?? null, endpoint: row?.endpoint ?? null, client: row?.client ?? null };
}

// Prepared once: building the query takes longer than running it, and every chat turn needs it.
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
