/**
 * Moonshot 0.7's chat records of a session, by endpoint. An endpoint that is named twice has two chats, and the records
 * of both under its id. Effects: reads a long log while its records are sent.
 */
import type * as z from "zod";
import type { Message } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { OpenLog } from "../../../live/read-session.ts";
import type { Streamed } from "../../http/json-stream.ts";
import { endpointNameOf, readRecordSources, recordSources } from "../../moonshot-shared/sessions/record-sources.ts";
import { presentRecord } from "./present.ts";
import type * as schemas from "./response-schemas.ts";

type ChatRecord = z.output<typeof schemas.ChatRecord>;

/** The records in some messages of a log. */
export function presentRecords(session: Session, log: Message[], zone: string): Record<string, ChatRecord[]> {
  const endpoints = new Map(session.chats.map((chat) => [chat.chatId, endpointNameOf(chat)]));
  const records: Record<string, ChatRecord[]> = Object.fromEntries([...endpoints.values()].map((id) => [id, []]));
  for (const source of recordSources(log))
    records[endpoints.get(source.chatId) ?? ""]?.push(presentRecord(source, zone));
  return records;
}

/** The records of an open log: each chat is read from the log when its turn comes. */
export function streamRecords(log: OpenLog, zone: string): Record<string, Streamed<ChatRecord>> {
  const chats = Map.groupBy(log.session.chats, endpointNameOf);
  return Object.fromEntries(
    [...chats].map(([endpointId, ofEndpoint]) => [
      endpointId,
      readRecords(
        log,
        ofEndpoint.map(({ chatId }) => chatId),
        zone,
      ),
    ]),
  );
}

async function* readRecords(log: OpenLog, chatIds: string[], zone: string): AsyncGenerator<ChatRecord> {
  for (const chatId of chatIds)
    for await (const source of readRecordSources(log, chatId)) yield presentRecord(source, zone);
}
