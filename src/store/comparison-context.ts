/**
 * What a turn of a comparison session needs besides the log: its endpoints, its chatbots with theirs, its template. Effects:
 * D1, memory, the clock.
 */
import { eq, sql } from "drizzle-orm";
import type { Chatbot } from "../core/chatbot.ts";
import { chatbotIdOf } from "../core/chatbot.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { PromptTemplate } from "../core/prompt-template.ts";
import type { Session } from "../core/session.ts";
import { now } from "../core/time.ts";
import type { Database } from "./database.ts";
import { endpointIdsOf, endpointKeys, readNearby } from "./read-nearby.ts";
import { recordCache } from "./record-cache.ts";
import type { RecordKey } from "./record-cache.ts";
import { chatbots, endpoints, promptTemplates, summaryEndpointIdOf } from "./tables.ts";

/** Records for a turn of a comparison session, as far as they exist. */
export interface ComparisonContext {
  /** Those of the session, and those of its chatbots. */
  endpoints: Endpoint[];
  template: PromptTemplate | null;
  /** Those that stand in an endpoint's place, deleted ones included. Absent without any, and in a copy by earlier code. */
  chatbots?: Chatbot[];
}

type References = Pick<Session, "chats" | "promptTemplate">;

/** The endpoints and the chatbots of a session, by their ids. */
function idsOf({ chats }: References): { endpointIds: string[]; chatbotIds: string[] } {
  const named = new Set(chats.flatMap(({ endpointId }) => endpointId ?? []));
  const chatbotIds = [...named].flatMap((id) => chatbotIdOf(id) ?? []);
  return { endpointIds: [...named].filter((id) => chatbotIdOf(id) === null), chatbotIds };
}

const chatbotKeys = (ids: string[]) => ids.map((id) => ["chatbot", id] as const);

const templateKeys = ({ promptTemplate }: References): RecordKey<"prompt-template">[] =>
  promptTemplate === null ? [] : [["prompt-template", promptTemplate]];

/** The records from memory, and whether the caller is the one who should read them again; `null` if they must be read. */
export function cachedComparison(
  references: References,
): { comparison: ComparisonContext; isRefreshDue: boolean } | null {
  const { endpointIds, chatbotIds } = idsOf(references);
  const [templateKey] = templateKeys(references);
  const template = templateKey ? recordCache.get(templateKey) : null;
  const foundChatbots = chatbotKeys(chatbotIds).map((key) => recordCache.get(key));
  const keys = endpointKeys([...endpointIds, ...endpointsOf(foundChatbots)]);
  const found = keys.map((key) => recordCache.get(key));
  if (template === undefined || foundChatbots.includes(undefined) || found.includes(undefined)) return null;
  const used: RecordKey[] = [...keys, ...chatbotKeys(chatbotIds), ...templateKeys(references)];
  return {
    comparison: contextOf(found, template, foundChatbots),
    isRefreshDue: used.some((key) => recordCache.claimRefresh(key)),
  };
}

type Found<T> = (T | null | undefined)[];

const endpointsOf = (found: Found<Chatbot>): string[] =>
  found.flatMap((chatbot) => (chatbot ? endpointIdsOf(chatbot) : []));

const contextOf = (
  found: Found<Endpoint>,
  template: PromptTemplate | null,
  foundChatbots: Found<Chatbot>,
): ComparisonContext => ({
  endpoints: found.filter((endpoint) => endpoint != null),
  template,
  ...(foundChatbots.length > 0 ? { chatbots: foundChatbots.filter((chatbot) => chatbot != null) } : {}),
});

/** Reads the records, and keeps them in memory. One round trip; two if the replica lacks one of them. */
export async function readComparisonContext(d1: D1Database, references: References): Promise<ComparisonContext> {
  const ids = idsOf(references);
  const [keys, botKeys, namedTemplate] = [
    endpointKeys(ids.endpointIds),
    chatbotKeys(ids.chatbotIds),
    templateKeys(references),
  ];
  const read = async (db: Database) => {
    const readAt = now();
    return { ...(await readRecords(db, ids, references.promptTemplate)), readAt };
  };
  const isSettled = (found: Records) => isWhole(found, ids) && namedTemplate.length === (found.template ? 1 : 0);
  const { readAt, ...records } = await readNearby(d1, [...keys, ...botKeys, ...namedTemplate], read, isSettled);
  const found = new Map(records.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  const foundChatbots = new Map(records.chatbots.map((chatbot) => [chatbot.id, chatbot]));
  for (const key of [...keys, ...endpointKeys(endpointsOf(records.chatbots))])
    recordCache.put(key, found.get(key[1]) ?? null, readAt);
  for (const key of botKeys) recordCache.put(key, foundChatbots.get(key[1]) ?? null, readAt);
  for (const key of namedTemplate) recordCache.put(key, records.template, readAt);
  return contextOf(records.endpoints, records.template, records.chatbots);
}

type Ids = ReturnType<typeof idsOf>;

interface Records {
  endpoints: Endpoint[];
  chatbots: Chatbot[];
  template: PromptTemplate | null;
}

function isWhole(found: Records, { endpointIds, chatbotIds }: Ids): boolean {
  const ofChatbots = endpointsOf(found.chatbots);
  const wanted = new Set([...endpointIds, ...ofChatbots]);
  return (
    found.chatbots.length === chatbotIds.length &&
    found.endpoints.length === wanted.size &&
    endpointKeys(ofChatbots).every((key) => !recordCache.wasChanged(key))
  );
}

async function readRecords(db: Database, ids: Ids, promptTemplate: string | null): Promise<Records> {
  const endpointQuery = selectEndpoints(db, ids);
  if (promptTemplate === null && ids.chatbotIds.length === 0)
    return { endpoints: await endpointQuery, chatbots: [], template: null };
  const chatbotQuery = db.select().from(chatbots).where(isListed(chatbots.id, ids.chatbotIds));
  const templateQuery = db
    .select()
    .from(promptTemplates)
    .where(eq(promptTemplates.name, promptTemplate ?? ""));
  const [rows, chatbotRows, [template = null]] = await db.batch([endpointQuery, chatbotQuery, templateQuery]);
  return { endpoints: rows, chatbots: chatbotRows, template };
}

const isListed = (column: typeof chatbots.id | typeof endpoints.id, ids: string[]) =>
  sql`${column} in (select value from json_each(${JSON.stringify(ids)}))`;

function selectEndpoints(db: Database, { endpointIds, chatbotIds }: Ids) {
  const named = isListed(endpoints.id, endpointIds);
  const select = db.select().from(endpoints);
  if (chatbotIds.length === 0) return select.where(named);
  const ofChatbots = sql`select ${chatbots.endpointId} from ${chatbots} where ${isListed(chatbots.id, chatbotIds)}
    union all select ${summaryEndpointIdOf(chatbots.context)} from ${chatbots} where ${isListed(chatbots.id, chatbotIds)}`;
  return select.where(
    sql`${endpoints.id} in (select value from json_each(${JSON.stringify(endpointIds)}) union all ${ofChatbots})`,
  );
}
