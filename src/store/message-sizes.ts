/**
 * SQL for the sizes of messages and for parts of them, for D1 and for the log of an object: their tables of messages differ
 * only in the key. `octet_length` reads no text, so it also costs little for long messages. No effects.
 */
import { Buffer } from "node:buffer";
import type { Message } from "../core/message.ts";
import type { MessageSize, ShownAs } from "../core/shown-window.ts";
import { SIZES_OF_WINDOW } from "../core/shown-window.ts";
import { seqOf } from "./message-keys.ts";

/** The bytes of a message in the log: its text, and the detail of a reply. */
export const MESSAGE_BYTES = "(octet_length(content) + coalesce(octet_length(detail), 0))";

/** SQL condition for messages of a path. @param seq SQL for their `seq` @param path SQL for the path as JSON */
export const isOnPath = (seq: string, path: string): string =>
  `EXISTS (SELECT 1 FROM json_each(${path}) AS range WHERE ${seq} BETWEEN range.value ->> 0 AND coalesce(range.value ->> 1, ${seq}))`;

/** Whether the Session API shows the message. A comparison would read the whole text. */
export const HAS_TEXT = "(detail IS NULL OR octet_length(content) > 0)";

/** The detail of a reply without the long texts: a prepared prompt has up to 200,000 characters, a body 262,144. */
export const SHORT_DETAIL = `json_replace(detail, '$.preparedPrompt', '', '$.receipt.body', NULL, '$.receipt.params', '',
  '$.receipt.attempts', json('[]'), '$.context.summary.text', '', '$.requestFields', '')`;

/**
 * What reading a {@link SHORT_DETAIL} counts against the limit of a batch: it passes on little of a detail, but the
 * database reads all of it, and an object can do nothing else meanwhile.
 */
export const SHORT_DETAIL_BYTES = "coalesce(octet_length(detail), 0) / 4";

/** In UTF-8, so many bytes at most make one UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3;

/** The characters of a text. SQLite counts only as far as the first NUL; then it is a third of the bytes, at least. */
export const CONTENT_CHARACTERS = `max(length(content), octet_length(content) / ${MAX_BYTES_PER_CHARACTER})`;

/**
 * The characters of a reply's detail before its receipt, which is its last field. Finding it takes much less time than
 * parsing. No text in the detail contains these characters: JSON has a backslash before a quote.
 */
const WITHOUT_RECEIPT = `coalesce(nullif(instr(detail, '"receipt":{'), 0), length(detail), 0)`;

/** The detail of a reply without its receipt, which records without receipts do not show: it is most of a detail. */
export const DETAIL_WITHOUT_RECEIPT = `CASE WHEN instr(detail, ',"receipt":{') > 0
  THEN substr(detail, 1, instr(detail, ',"receipt":{') - 1) || '}' ELSE detail END`;

const CHARACTERS: Record<ShownAs, string> = {
  messages: CONTENT_CHARACTERS,
  records: `${CONTENT_CHARACTERS} + ${WITHOUT_RECEIPT}`,
  receipts: `${CONTENT_CHARACTERS} + coalesce(length(detail), 0)`,
};

/** What {@link newestSizes} counts as the characters of a message, for one that is not in a table. */
export function charactersOfMessage({ content, reply }: Message, shownAs: ShownAs): number {
  const characters = Math.max(lengthOf(content), Math.floor(Buffer.byteLength(content) / MAX_BYTES_PER_CHARACTER));
  if (shownAs === "messages" || reply === null) return characters;
  const detail = JSON.stringify(reply);
  const receiptAt = shownAs === "records" ? detail.indexOf('"receipt":{') : -1;
  return characters + (receiptAt === -1 ? lengthOf(detail) : lengthOf(detail.slice(0, receiptAt)) + 1);
}

/** The characters of a text as SQLite counts them: code points, as far as the first NUL. */
function lengthOf(text: string): number {
  let length = 0;
  for (const character of text) {
    if (character === "\0") break;
    length += 1;
  }
  return length;
}

/** A row of {@link newestSizes}. */
export type MessageSizeRow = Omit<MessageSize, "isReply"> & { isReply: number };

export function* toMessageSizes(rows: Iterable<MessageSizeRow>): Generator<MessageSize, void> {
  for (const { isReply, ...row } of rows) yield { ...row, isReply: isReply === 1 };
}

/** In bytes, the least and the most that {@link CHARACTERS} can be. */
const BYTES: Record<ShownAs, [least: string, most: string]> = {
  messages: ["octet_length(content)", "octet_length(content)"],
  records: ["octet_length(content)", MESSAGE_BYTES],
  receipts: [MESSAGE_BYTES, MESSAGE_BYTES],
};

/** A row of {@link newestByteSizes}. */
export type MessageByteSizeRow = Omit<MessageSizeRow, "characters"> &
  Record<"leastCharacters" | "mostCharacters", number>;

/** Which messages a query is about, and what their key is called. */
interface MessageRange {
  /** The column by which messages are in the order of the log. */
  key: "key" | "seq";
  condition: string;
}

/**
 * The query for the sizes of the newest messages, newest first, with enough rows for a window. It reads the texts of the
 * rows that are taken.
 */
export const newestSizes = (shownAs: ShownAs, range: MessageRange): string =>
  newest(shownAs, range, `${CHARACTERS[shownAs]} AS characters`);

/** Like {@link newestSizes}, but reads no text, and knows the characters only about. */
export const newestByteSizes = (shownAs: ShownAs, range: MessageRange): string => {
  const [least, most] = BYTES[shownAs];
  return newest(shownAs, range, `${least} / ${MAX_BYTES_PER_CHARACTER} AS leastCharacters, ${most} AS mostCharacters`);
};

const newest = (shownAs: ShownAs, { key, condition }: MessageRange, size: string): string =>
  `SELECT ${key === "key" ? seqOf(key) : key} AS seq, turn_id AS turnId, detail IS NOT NULL AS isReply, ${size}
    FROM messages
    WHERE ${condition}${shownAs === "messages" ? ` AND ${HAS_TEXT}` : ""}
    ORDER BY messages.${key} DESC LIMIT ${SIZES_OF_WINDOW}`;
