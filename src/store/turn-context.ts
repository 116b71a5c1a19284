/**
 * What a turn needs besides the log: chatbot, client, endpoints, template. Read from a replica of D1 and kept in the
 * isolate's memory (`record-cache.ts`). That of a comparison session is in `comparison-context.ts`, and how it becomes a
 * request in `turn/`. Effects: D1, memory, the clock.
 */
import { eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { plainChatbot } from "../core/chatbot.ts";
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { endpointOf } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import { now } from "../core/time.ts";
import type { EpochMs } from "../core/time.ts";
import { cachedComparison, readComparisonContext } from "./comparison-context.ts";
import type { ComparisonContext } from "./comparison-context.ts";
import type { Database } from "./database.ts";
import { endpointIdsOf, endpointKeys, readNearby } from "./read-nearby.ts";
import { recordCache } from "./record-cache.ts";
import { chatbots, clients, endpoints, summaryEndpointIdOf } from "./tables.ts";

export type { ComparisonContext } from "./comparison-context.ts";

/** The chatbot and the client of a session, deleted ones included. `null` stands for a record that does not exist. */
export interface ReferencedRecords {
  chatbot: Chatbot | null;
  client: Client | null;
}

/** Records for a turn of a chatbot session. */
export interface ChatContext extends ReferencedRecords {
  endpoint: Endpoint | null;
  /** The one that the chatbot's `context` names. Absent in a copy by earlier code. */
  summaryEndpoint?: Endpoint | null;
}

/** Records for a turn of either kind of session. */
export type TurnContext = { of: "chat"; chat: ChatContext } | { of: "comparison"; comparison: ComparisonContext };

/** Records from memory. */
export interface CachedTurnContext {
  context: TurnContext;
  /** Whether the caller is the one who should read them again in the background. */
  isRefreshDue: boolean;
}

type ChatReferences = Pick<Session, "chatbotId" | "clientId">;

/** Reads the records of a session, and keeps them in memory. One round trip; two if the replica lacks one of them. */
export async function readTurnContext(d1: D1Database, session: Session): Promise<TurnContext> {
  const endpointId = endpointOf(session);
  if (session.kind === "chatbot" && endpointId === null)
    return { of: "chat", chat: await readChatContext(d1, session) };
  const comparison = await readComparisonContext(d1, session);
  return endpointId === null ? { of: "comparison", comparison } : plainChat(endpointId, comparison);
}

/** The records of a session with an endpoint. */
const plainChat = (endpointId: string, { endpoints: [endpoint] }: ComparisonContext): TurnContext => ({
  of: "chat",
  chat: { chatbot: plainChatbot(endpointId), endpoint: endpoint ?? null, client: null, summaryEndpoint: null },
});

/**
 * The records of a session from memory; `null` if they must be read.
 *
 * @param lastClient the client as the session last read it. A turn only asks whether it exists, and the client of an
 *   open session cannot be deleted, so this one may be older.
 */
export function cachedTurnContext(session: Session, lastClient: Client | null): CachedTurnContext | null {
  const endpointId = endpointOf(session);
  if (session.kind === "chatbot" && endpointId === null) return cachedChat(session, lastClient);
  const cached = cachedComparison(session);
  if (!cached) return null;
  const { comparison, isRefreshDue } = cached;
  const context = endpointId === null ? ({ of: "comparison", comparison } as const) : plainChat(endpointId, comparison);
  return { context, isRefreshDue };
}

function cachedChat(references: ChatReferences, lastClient: Client | null): CachedTurnContext | null {
  const [chatbotKey, clientKey] = keysOf(references);
  const chatbot = recordCache.get(chatbotKey);
  if (chatbot === undefined) return null;
  const client = recordCache.get(clientKey) ?? (recordCache.wasChanged(clientKey) ? null : lastClient);
  const keys = endpointKeys(chatbot === null ? [] : endpointIdsOf(chatbot));
  const [endpoint = null, summaryEndpoint = null] = keys.map((key) => recordCache.get(key) ?? null);
  if (client === null || keys.some((key) => recordCache.get(key) === undefined)) return null;
  const used = [chatbotKey, clientKey, ...keys];
  return {
    context: { of: "chat", chat: { chatbot, endpoint, client, summaryEndpoint } },
    isRefreshDue: used.some((key) => recordCache.claimRefresh(key)),
  };
}

/** A current chatbot from memory; `null` if it does not exist, `undefined` if it must be read. */
export const cachedChatbot = (id: string): Chatbot | null | undefined => recordCache.get(["chatbot", id]);

/** Referenced records, and when the older one of them was read. */
export type DatedRecords = ReferencedRecords & { readAt: EpochMs };

/** The chatbot and the client of a session from memory; `null` if they must be read. */
export function cachedReferences(references: ChatReferences): DatedRecords | null {
  const [chatbotKey, clientKey] = keysOf(references);
  const [chatbot, client] = [recordCache.get(chatbotKey), recordCache.get(clientKey)];
  if (chatbot === undefined || client === undefined) return null;
  return { chatbot, client, readAt: Math.min(recordCache.readAt(chatbotKey), recordCache.readAt(clientKey)) };
}

/** Whether the caller is the one who should read them again in the background. */
export const isReferencesRefreshDue = (references: ChatReferences): boolean =>
  keysOf(references).some((key) => recordCache.claimRefresh(key));

/** Adds records from the memory of another isolate, unless they were changed in this one. */
export function addReferences(references: ChatReferences, { chatbot, client, readAt }: DatedRecords): void {
  const [chatbotKey, clientKey] = keysOf(references);
  if (!recordCache.wasChanged(chatbotKey)) recordCache.put(chatbotKey, chatbot, readAt);
  if (!recordCache.wasChanged(clientKey)) recordCache.put(clientKey, client, readAt);
}

const keysOf = ({ chatbotId, clientId }: ChatReferences) =>
  [
    ["chatbot", chatbotId ?? ""],
    ["client", clientId ?? ""],
  ] as const;

/** As {@link readTurnContext}, for a chatbot session; or for a chatbot alone, with `clientId: null`. */
export async function readChatContext(d1: D1Database, references: ChatReferences): Promise<ChatContext> {
  const [chatbotKey, clientKey] = keysOf(references);
  const [, chatbotId] = chatbotKey;
  const [, clientId] = clientKey;
  const read = async (db: Database) => {
    const readAt = now();
    const row = await chatbotQuery(db).get({ chatbotId, clientId });
    const { chatbot = null, endpoint = null, client = null, summaryEndpoint = null } = row ?? {};
    return { chatbot, endpoint, client, summaryEndpoint, readAt };
  };
  const needsClient = references.clientId !== null;
  const { readAt, ...chat } = await readNearby(d1, [chatbotKey, clientKey], read, (found) =>
    isWhole(found, needsClient),
  );
  recordCache.put(chatbotKey, chat.chatbot, readAt);
  recordCache.put(clientKey, chat.client, readAt);
  const [, summaryKey] = endpointKeys(chat.chatbot ? endpointIdsOf(chat.chatbot) : []);
  if (chat.chatbot) recordCache.put(["endpoint", chat.chatbot.endpointId], chat.endpoint, readAt);
  if (summaryKey) recordCache.put(summaryKey, chat.summaryEndpoint, readAt);
  return chat;
}

const isWhole = ({ chatbot, endpoint, client, summaryEndpoint }: ChatContext, needsClient: boolean): boolean =>
  chatbot !== null &&
  (client !== null || !needsClient) &&
  [endpoint, summaryEndpoint].filter((one) => one != null).length === endpointIdsOf(chatbot).length &&
  endpointKeys(endpointIdsOf(chatbot)).every((key) => !recordCache.wasChanged(key));

// Prepared once: building the query takes longer than running it.
const chatbotQueries = new WeakMap<Database, ReturnType<typeof prepareChatbotQuery>>();

function chatbotQuery(db: Database): ReturnType<typeof prepareChatbotQuery> {
  const cached = chatbotQueries.get(db) ?? prepareChatbotQuery(db);
  chatbotQueries.set(db, cached);
  return cached;
}

const summaryEndpoints = alias(endpoints, "summary_endpoints");

/** Rows, each by its own id: one that is missing leaves the others. */
const prepareChatbotQuery = (db: Database) =>
  db
    .select({ chatbot: chatbots, endpoint: endpoints, client: clients, summaryEndpoint: summaryEndpoints })
    .from(sql`(select 1)`)
    .leftJoin(chatbots, eq(chatbots.id, sql.placeholder("chatbotId")))
    .leftJoin(endpoints, eq(endpoints.id, chatbots.endpointId))
    .leftJoin(summaryEndpoints, eq(summaryEndpoints.id, summaryEndpointIdOf(chatbots.context)))
    .leftJoin(clients, eq(clients.id, sql.placeholder("clientId")))
    .prepare();
