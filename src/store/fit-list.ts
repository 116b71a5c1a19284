/**
 * Keeps a list of sessions or chatbots within its limit of characters. Results are never left out, because the paginator
 * counts them. Pure.
 */
import type { Chatbot } from "../core/chatbot.ts";
import type { Client } from "../core/client.ts";
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";

/** A chatbot in a list. Its long texts are left out where the list would be too long. */
export type ListedChatbot = Chatbot & { isShortened?: boolean };

/** A client in a list. Its metadata is left out where the list would be too long. */
export type ListedClient = Client & { isShortened?: boolean };

/** A session with its chatbot, client and newest messages. */
export interface PopulatedSession {
  session: Session;
  chatbot: ListedChatbot | null;
  client: ListedClient | null;
  messages: Message[];
}

/** The most characters of a list, besides short fields. */
export const MAX_LIST_CHARACTERS = 2_000_000;

/** More bytes than these are always more than {@link MAX_LIST_CHARACTERS}: a UTF-16 code unit has three at most. */
export const MAX_LIST_BYTES = 3 * MAX_LIST_CHARACTERS;

/**
 * Leaves out what does not fit: older messages, the long texts of chatbots if these alone are too many, and the metadata
 * of clients if the records alone are. What sessions have themselves always fits: 100 have 16 KiB of metadata at most.
 * Each session has the same share for its messages.
 */
export function fitSessions(results: PopulatedSession[]): PopulatedSession[] {
  const isTooLong = sum(results.map(charactersOf)) > MAX_LIST_CHARACTERS;
  if (!isTooLong) return results;
  const withClients = sum(results.map(charactersOfRecords));
  const withMetadata = withClients <= MAX_LIST_CHARACTERS;
  const records = withMetadata ? withClients : sum(results.map(({ session }) => charactersOfSession(session)));
  const texts = sum(results.map(({ chatbot }) => charactersOfTexts(chatbot)));
  const withTexts = records + texts <= MAX_LIST_CHARACTERS;
  const left = MAX_LIST_CHARACTERS - records - (withTexts ? texts : 0);
  return results.map(({ session, chatbot, client, messages }) => ({
    session,
    client: withMetadata ? client : client && withoutMetadata(client),
    chatbot: withTexts ? chatbot : chatbot && withoutTexts(chatbot),
    messages: newestWithin(messages, left / results.length),
  }));
}

const charactersOf = (result: PopulatedSession): number =>
  charactersOfRecords(result) +
  charactersOfTexts(result.chatbot) +
  sum(result.messages.map(({ content }) => content.length));

const charactersOfRecords = ({ session, client }: PopulatedSession): number =>
  charactersOfSession(session) + lengthOf(client?.metadata);

const charactersOfSession = ({ metadata, feedback }: Session): number =>
  lengthOf(metadata) + lengthOf(feedback?.comment);

/** In a list of sessions, a chatbot is repeated in each of its sessions. */
const charactersOfTexts = (chatbot: Chatbot | null): number =>
  lengthOf(chatbot?.systemPrompt) + lengthOf(chatbot?.greeting) + lengthOf(chatbot?.params);

const withoutTexts = (chatbot: Chatbot): ListedChatbot => ({
  ...chatbot,
  systemPrompt: null,
  greeting: null,
  params: null,
  isShortened: true,
});

/** In a list of sessions, a client is repeated in each of its sessions. */
const withoutMetadata = (client: Client): ListedClient =>
  client.metadata === null ? client : { ...client, metadata: null, isShortened: true };

/** Leaves out the long texts of all chatbots if they are too many. */
export const fitChatbots = (results: ListedChatbot[]): ListedChatbot[] =>
  sum(results.map(charactersOfTexts)) <= MAX_LIST_CHARACTERS ? results : results.map(withoutTexts);

/** The first results of a list without a paginator, as many as fit, but at least one. */
export function fitTexts<T extends object | string>(results: T[]): T[] {
  let total = 0;
  const tooLate = results.findIndex(
    (result, index) => (total += JSON.stringify(result).length + 1) > MAX_LIST_CHARACTERS && index > 0,
  );
  return tooLate === -1 ? results : results.slice(0, tooLate);
}

function newestWithin(messages: Message[], characters: number): Message[] {
  let total = 0;
  const tooOld = messages.findLastIndex(({ content }) => (total += content.length) > characters);
  return messages.slice(tooOld + 1);
}

const lengthOf = (text: string | null | undefined): number => text?.length ?? 0;

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
