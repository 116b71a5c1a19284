/**
 * Endpoints and chatbots as the models of one list, and the records of one of them for a call without a session: from the
 * isolate's memory (`record-cache.ts`), or from D1. Effects: D1, memory.
 */
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { ConnectorType, Endpoint } from "../core/endpoint.ts";
import type { EpochMs } from "../core/time.ts";
import { readComparisonContext } from "./comparison-context.ts";
import type { Database } from "./database.ts";
import type { ListPages } from "./list-pages.ts";
import { recordCache } from "./record-cache.ts";
import type { RecordKey } from "./record-cache.ts";
import { chatbots, endpoints } from "./tables.ts";
import { readChatContext } from "./turn-context.ts";
import type { ChatContext } from "./turn-context.ts";

/** How many endpoints, and how many chatbots, a page of the list has: less than 1 MB, since a name has 200 characters. */
const PAGE_ROWS = 1_000;

export interface ListedModel {
  /** The id of the endpoint, or `chatbot:` and the id of the chatbot. */
  id: string;
  name: string;
  createdAt: EpochMs;
  /** `null` for a chatbot whose endpoint no longer exists. */
  connectorType: ConnectorType | null;
}

/** All models, page by page, each kind by its ids. One round trip a page. */
export async function* modelPages(db: Database, which: "all" | "chatbots"): ListPages<ListedModel> {
  let after = { endpoint: "", chatbot: "" };
  for (let hasMore = true; hasMore;) {
    const [ofEndpoints, ofChatbots] = await db.batch([
      selectEndpoints(db, after.endpoint, which === "all" ? PAGE_ROWS : 0),
      selectChatbots(db, after.chatbot),
    ]);
    hasMore = ofEndpoints.length === PAGE_ROWS || ofChatbots.length === PAGE_ROWS;
    after = {
      endpoint: ofEndpoints.at(-1)?.id ?? after.endpoint,
      chatbot: ofChatbots.at(-1)?.id ?? after.chatbot,
    };
    const named = ofChatbots.map((chatbot) => ({ ...chatbot, id: `chatbot:${chatbot.id}` }));
    yield { items: [...ofEndpoints, ...named], hasMore };
  }
}

const selectEndpoints = (db: Database, after: string, limit: number) =>
  db
    .select({
      id: endpoints.id,
      name: endpoints.name,
      createdAt: endpoints.createdAt,
      connectorType: endpoints.connectorType,
    })
    .from(endpoints)
    .where(gt(endpoints.id, after))
    .orderBy(asc(endpoints.id))
    .limit(limit);

/** No two columns have one name: a batch would mix them up. */
const selectChatbots = (db: Database, after: string) =>
  db
    .select({
      id: chatbots.id,
      name: chatbots.name,
      createdAt: chatbots.createdAt,
      connectorType: endpoints.connectorType,
    })
    .from(chatbots)
    .leftJoin(endpoints, eq(endpoints.id, chatbots.endpointId))
    .where(and(gt(chatbots.id, after), isNull(chatbots.deletedAt)))
    .orderBy(asc(chatbots.id))
    .limit(PAGE_ROWS);

/** Whose call it is: of a client, or with `null` of a program. */
interface ChatReferences {
  chatbotId: string;
  clientId: string | null;
}

/** Lets a read continue after the answer. */
type KeepAlive = (work: Promise<unknown>) => void;

/** A chatbot with its endpoint and a client, deleted ones included, as they were within the last two seconds. */
export async function currentChat(d1: D1Database, references: ChatReferences, keepAlive: KeepAlive) {
  const read = () => readChatContext(d1, references);
  const cached = cachedChat(references);
  if (!cached) return read();
  if (cached.keys.some((key) => recordCache.claimRefresh(key))) keepAlive(read().catch(() => undefined));
  return cached.chat;
}

function cachedChat({ chatbotId, clientId }: ChatReferences): { chat: ChatContext; keys: RecordKey[] } | null {
  const chatbot = recordCache.get(["chatbot", chatbotId]);
  const client = clientId === null ? null : recordCache.get(["client", clientId]);
  const endpoint = chatbot ? recordCache.get(["endpoint", chatbot.endpointId]) : null;
  if (chatbot === undefined || client === undefined || endpoint === undefined) return null;
  const keys: RecordKey[] = [["chatbot", chatbotId]];
  if (chatbot) keys.push(["endpoint", chatbot.endpointId]);
  if (clientId !== null) keys.push(["client", clientId]);
  return { chat: { chatbot, client, endpoint }, keys };
}

/** An endpoint as it was within the last two seconds; `null` if it does not exist. */
export async function currentEndpoint(d1: D1Database, id: string, keepAlive: KeepAlive): Promise<Endpoint | null> {
  const key: RecordKey<"endpoint"> = ["endpoint", id];
  const read = async () => {
    const context = await readComparisonContext(d1, { chats: [{ chatId: id, endpointId: id }], promptTemplate: null });
    return context.endpoints[0] ?? null;
  };
  const cached = recordCache.get(key);
  if (cached === undefined) return read();
  if (recordCache.claimRefresh(key)) keepAlive(read().catch(() => undefined));
  return cached;
}
