/** Chatbots that stand among the endpoints of a new session. Effects: D1. */
import { and, isNull, sql } from "drizzle-orm";
import type { Chatbot } from "../core/chatbot.ts";
import type { Database } from "./database.ts";
import { chatbots } from "./tables.ts";

/** What a new session needs of a chatbot. */
export type NamedChatbot = Pick<Chatbot, "id" | "name" | "greeting">;

/** The chatbots with these ids that are not deleted, by id. One round trip; none without an id. */
export async function findNamedChatbots(db: Database, ids: string[]): Promise<Map<string, NamedChatbot>> {
  if (ids.length === 0) return new Map();
  const found = await db
    .select({ id: chatbots.id, name: chatbots.name, greeting: chatbots.greeting })
    .from(chatbots)
    .where(
      and(sql`${chatbots.id} in (select value from json_each(${JSON.stringify(ids)}))`, isNull(chatbots.deletedAt)),
    );
  return new Map(found.map((chatbot) => [chatbot.id, chatbot]));
}
