/**
 * Reads archived logs, some chunks at a time. A page of text in English fits into what one call reads. Effects: R2.
 */
import type { LogArchive } from "../../core/log-archive.ts";
import type { Message } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { isOnPath } from "../../core/message-tree.ts";
import type { ActivePath } from "../../core/message-tree.ts";
import { MAX_BATCH_CHARACTERS } from "../../core/page.ts";
import type { Batch } from "../../core/page.ts";
import { archiveError, objectName } from "./bucket.ts";
import type { LogStore } from "./bucket.ts";
import { fromLine } from "./lines.ts";
import type { PageQuery } from "../messages.ts";

/** A session whose log, or the first part of it, is in the archive. */
export interface ArchivedSession {
  id: string;
  archive: LogArchive;
  activePath: ActivePath;
}

/** The most messages per page. */
const MAX_MESSAGES = 1_000;

/** A page begins anywhere in a chunk, so it can need the next one too. */
const CHUNKS_PER_READ = 2;

/** A page of the archived part of a log: at most `limit` messages, and no more than fit into a batch, but at least one. */
export async function archivedPage(
  bucket: LogStore["archive"],
  { id, archive, activePath }: ArchivedSession,
  query: PageQuery,
): Promise<Batch<Message>> {
  const most = Math.min(query.limit, MAX_MESSAGES);
  const items: Message[] = [];
  let characters = 0;
  for (let start = positionOf(archive, query.after + 1); start < archive.bytes;) {
    const end = endOf(archive, start, CHUNKS_PER_READ);
    for (const { message, length } of await readLines(bucket, id, start, end)) {
      if (!isWanted(message, query, activePath)) continue;
      characters += length;
      if (items.length === most || (items.length > 0 && characters > MAX_BATCH_CHARACTERS))
        return { items, hasMore: true };
      items.push(inForm(message, query));
    }
    start = end;
  }
  return { items, hasMore: false };
}

function isWanted(message: Message, { after, which, chatId, form }: PageQuery, path: ActivePath): boolean {
  if (message.seq <= after) return false;
  if (which === "shown" && !(hasText(message) && isOnPath(path, message.seq))) return false;
  if (form === "counts" && message.reply === null) return false;
  return chatId === undefined || message.chatId === null || message.chatId === chatId;
}

/** A message as much as a query reads of it, see `SHORT_DETAIL` in `../message-sizes.ts`. */
function inForm(message: Message, { which, chatId, form = "whole" }: PageQuery): Message {
  const { reply } = message;
  if (!reply || chatId !== undefined || (which !== "shown" && form === "whole")) return message;
  const receipt = reply.receipt && { ...reply.receipt, body: null, params: "", attempts: [] };
  const fields = reply.requestFields === undefined ? {} : { requestFields: "" };
  const short = { ...reply, preparedPrompt: "", ...fields, ...(receipt ? { receipt } : {}) };
  return { ...message, content: form === "counts" ? "" : message.content, reply: short };
}

/** The messages of each chunk, oldest first; the last chunk comes first. */
export async function* chunksBackwards(
  bucket: LogStore["archive"],
  { id, archive }: Omit<ArchivedSession, "activePath">,
): AsyncGenerator<Message[], void> {
  for (const [, start] of archive.chunks.toReversed()) {
    const lines = await readLines(bucket, id, start, endOf(archive, start, 1));
    yield lines.map(({ message }) => message);
  }
}

/** Where the chunk begins that has a message. */
const positionOf = ({ chunks, bytes }: LogArchive, seq: number): number =>
  chunks.findLast(([first]) => first <= seq)?.[1] ?? bytes;

/** Where so many chunks end that begin at a position. */
const endOf = ({ chunks, bytes }: LogArchive, start: number, count: number): number =>
  chunks.filter(([, position]) => position > start)[count - 1]?.[1] ?? bytes;

/** The messages between two positions of a session's object, and the length of each line. */
async function readLines(
  bucket: LogStore["archive"],
  id: string,
  start: number,
  end: number,
): Promise<{ message: Message; length: number }[]> {
  const text = await new Response(await readRange(bucket, id, start, end)).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => ({ message: fromLine(line), length: line.length }));
}

/** Reads bytes of a session's object. @throws when there are fewer */
export async function readRange(
  bucket: LogStore["archive"],
  id: string,
  start: number,
  end: number,
): Promise<ReadableStream<Uint8Array>> {
  if (!bucket) throw archiveError("A session is archived, and the Worker has no binding ARCHIVE");
  const range = { offset: start, length: end - start };
  const object = await bucket.get(objectName(id), { range }).catch((cause: unknown) => {
    throw archiveError("The archive could not be read", cause);
  });
  if (!object) throw archiveError(`The archive lacks ${objectName(id)}`);
  if (object.size < end) throw archiveError(`The archive lacks the end of ${objectName(id)}`);
  return object.body;
}
