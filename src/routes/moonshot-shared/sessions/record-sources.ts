/**
 * What Moonshot's chat records are made from: a reply and its prompt, one record for each reply. The form of a record is
 * each dialect's own. Effects: reads a long log while its records are sent.
 */
import type { Message, ReplyDetail } from "../../../core/message.ts";
import type { Chat } from "../../../core/session.ts";
import { messagesOf } from "../../../live/read-session.ts";
import type { OpenLog } from "../../../live/read-session.ts";

/** What a record is made from. */
export interface RecordSource {
  chatId: string;
  reply: ReplyDetail;
  /** The text of the reply. */
  content: string;
  prompt: Message;
  /** 1, 2, 3 … within its chat. */
  number: number;
}

/** The sources of the records in some messages of a log, in its order. */
export function recordSources(log: Message[]): RecordSource[] {
  const prompts = new Map(log.flatMap((message) => (message.role === "user" ? [[message.turnId, message]] : [])));
  return log.flatMap((message) => sourceOf(message, prompts.get(message.turnId)) ?? []);
}

/** The sources of the records of one chat, read page by page. */
export async function* readRecordSources(log: OpenLog, chatId: string): AsyncGenerator<RecordSource> {
  let prompt: Message | undefined;
  for await (const message of messagesOf(log, { chatId })) {
    if (message.role === "user") prompt = message;
    else if (message.chatId === chatId && message.turnId === prompt?.turnId) {
      const source = sourceOf(message, prompt);
      if (source) yield source;
    }
  }
}

/**
 * Finds a record by its number. Each turn is a prompt and a reply of each chat, so one page has it; if that is not so, the
 * whole chat is read.
 */
export async function findRecordSource(log: OpenLog, chatId: string, number: number): Promise<RecordSource | null> {
  const messages = log.session.chats.length + 1;
  const { items } = await log.page((number - 1) * messages, messages, { chatId });
  const found = recordSources(items).find((source) => source.number === number && source.chatId === chatId);
  if (found) return found;
  for await (const source of readRecordSources(log, chatId)) if (source.number === number) return source;
  return null;
}

const sourceOf = ({ chatId, reply, content }: Message, prompt: Message | undefined): RecordSource | null =>
  reply && prompt && chatId !== null ? { chatId, reply, content, prompt, number: prompt.turnNumber ?? 0 } : null;

/** What stands for the endpoint of a chat: of the recorded chat, its own id. */
export const endpointNameOf = ({ endpointId, chatId }: Chat): string => endpointId ?? chatId;

/** The text of a reply; of a failed one, what failed. */
export const predictedResult = ({ error }: ReplyDetail, content: string): string =>
  error === null ? content : `[${error.code}] ${error.message}`;
