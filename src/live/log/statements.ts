/**
 * The SQL of the log. Each statement is a constant, because the runtime caches prepared statements by string object,
 * not by text. Tables are in `schema.ts`. Running statements does not belong here: that is `log.ts`. Pure.
 */

import { RECORDED_CHAT } from "../../core/bridge.ts";
import type { MessageForm } from "../../core/message.ts";
import type { ShownAs } from "../../core/shown-window.ts";
import {
  DETAIL_WITHOUT_RECEIPT,
  HAS_TEXT,
  MESSAGE_BYTES,
  SHORT_DETAIL,
  SHORT_DETAIL_BYTES,
  isOnPath,
  newestSizes,
} from "../../store/message-sizes.ts";

/** How the log reads messages: in the forms that a page has, or whole but for the receipts. */
export type LogForm = MessageForm | "without-receipts";

/** The columns of a message, without `appended_at`. */
const COLUMNS = "seq, chat_id, turn_id, role, content, created_at, detail, author, parent_seq";
/** In the order of a `MessageRow`. */
const select = (content: string, detail: string, bytes: string): string =>
  `SELECT seq, chat_id, turn_id, role, ${content} AS content, created_at, ${detail} AS detail, ${bytes} AS bytes_read,
    iif(turn_id IS NULL, NULL, (SELECT number FROM turns WHERE turns.turn_id = messages.turn_id)) AS turn_number, author, parent_seq
    FROM messages`;
const SELECT = select("content", "detail", "0");
const SELECT_SHORT = select("content", SHORT_DETAIL, SHORT_DETAIL_BYTES);

export const INSERT_MESSAGE = `INSERT INTO messages (${COLUMNS}, appended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
export const HAS_TURN = "SELECT 1 FROM turns WHERE turn_id = ?";
export const INSERT_TURN = "INSERT INTO turns (turn_id, started_at) VALUES (?, ?) RETURNING number";
export const INSERT_LOADED_TURN = "INSERT OR IGNORE INTO turns (turn_id, number, started_at) VALUES (?, ?, ?)";
export const WRITE_STATE =
  "INSERT INTO state (one, state) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET state = excluded.state";
export const MESSAGES_AFTER: Record<LogForm, string> = {
  whole: `${SELECT} WHERE seq > ? ORDER BY seq`,
  short: `${SELECT_SHORT} WHERE seq > ? ORDER BY seq`,
  "without-receipts": `${select("content", DETAIL_WITHOUT_RECEIPT, "0")} WHERE seq > ? ORDER BY seq`,
  counts: `${select("''", SHORT_DETAIL, SHORT_DETAIL_BYTES)} WHERE seq > ? AND detail IS NOT NULL ORDER BY seq`,
};
export const SHOWN_MESSAGES_AFTER = `${SELECT_SHORT} WHERE seq > ? AND ${HAS_TEXT} ORDER BY seq`;
const ON_PATH = isOnPath("messages.seq", "?2");
export const MESSAGES_ON_PATH_AFTER = `${SELECT_SHORT} WHERE seq > ?1 AND ${HAS_TEXT} AND ${ON_PATH} ORDER BY seq`;
export const FORKS = `SELECT seq, parent_seq, ${HAS_TEXT} AS has_text FROM messages WHERE parent_seq IS NOT NULL ORDER BY seq`;
export const PARENT_OF = "SELECT parent_seq FROM messages WHERE seq = ?";
export const LAST_WITH_TEXT = `SELECT seq FROM messages WHERE ${HAS_TEXT} ORDER BY seq DESC LIMIT 1`;
export const MESSAGES_OF_CHAT_AFTER = `${SELECT} WHERE seq > ? AND (chat_id IS NULL OR chat_id = ?) ORDER BY seq`;
export const MESSAGES_OF_TURNS_AFTER = `${SELECT} WHERE seq > ? AND turn_id IS NOT NULL ORDER BY seq`;
export const CONVERSATION = `SELECT seq, role, content FROM messages WHERE seq >= ? AND seq <= ? AND ${HAS_TEXT} ORDER BY seq DESC`;
export const CONVERSATION_FROM_START = `SELECT seq, role, content, detail ->> '$.status' <> 'ok' FROM messages WHERE seq >= ? AND seq <= ? AND ${HAS_TEXT} ORDER BY seq`;
export const REPLIES_TO = `SELECT seq, detail ->> '$.status' AS status FROM messages WHERE seq > ? AND ${HAS_TEXT} AND detail IS NOT NULL
  AND (detail ->> '$.promptSeq' = ? OR (detail ->> '$.promptSeq' IS NULL AND turn_id = ?))`;
/** A recorded greeting is that of another chatbot. */
const CONVERSATION_OF_CHAT_UP_TO = `FROM messages WHERE (chat_id = ? OR (chat_id IS NULL AND role <> 'assistant')) AND seq <= ? AND ${HAS_TEXT}`;
export const CONVERSATION_OF_CHAT = `SELECT seq, role, content ${CONVERSATION_OF_CHAT_UP_TO} ORDER BY seq DESC`;
export const COUNT_CONVERSATION_OF_CHAT = `SELECT count(*) AS messages ${CONVERSATION_OF_CHAT_UP_TO}`;
export const CONTEXTS_OF_CHAT = `SELECT seq, json_object('status', detail ->> '$.status', 'usage', detail -> '$.usage', 'context', detail -> '$.context') AS reply
  FROM messages WHERE chat_id = ? AND detail ->> '$.context.maxTokens' IS NOT NULL ORDER BY seq`;
export const COUNT_WITH_TEXT_AFTER = `SELECT count(*) AS messages FROM messages WHERE seq > ? AND ${HAS_TEXT}`;
export const READ_SUMMARY = `SELECT detail ->> '$.context.summary.text' AS text, detail ->> '$.context.summary.upTo' AS upTo,
    detail ->> '$.context.summary.previousSeq' AS previousSeq
  FROM messages WHERE seq = ? AND text IS NOT NULL`;
export const MESSAGES_OF_TURN = `${SELECT} WHERE turn_id = ? ORDER BY seq`;
export const PREPARED_PROMPTS = `SELECT detail ->> '$.preparedPrompt' AS prepared_prompt FROM messages
  WHERE chat_id = ? AND detail IS NOT NULL AND prepared_prompt <> '' ORDER BY seq DESC LIMIT ?`;
export const ANSWERED_PROMPTS = `SELECT role, content, detail ->> '$.preparedPrompt' AS prepared_prompt FROM messages
  WHERE (chat_id = ? AND detail ->> '$.status' = 'ok') OR (chat_id IS NULL AND role <> 'user') ORDER BY seq DESC LIMIT ?`;
const RECORDED = `FROM messages WHERE chat_id = '${RECORDED_CHAT}' AND detail IS NULL`;
export const RECORDED_PROMPT_SEQ = `SELECT seq ${RECORDED} AND role = 'user' ORDER BY seq LIMIT 1 OFFSET ?`;
export const RECORDED_BETWEEN = `SELECT seq, role, content ${RECORDED} AND seq > ? AND seq < ? ORDER BY seq`;
export const RECORDED_BEFORE = `SELECT seq, role, content ${RECORDED} AND seq < ? ORDER BY seq DESC`;
export const COUNT_RECORDED_BEFORE = `SELECT count(*) AS messages ${RECORDED} AND seq < ?`;
export const COUNT_REPLIES = "SELECT count(*) AS replies FROM messages WHERE chat_id = ? AND detail IS NOT NULL";
export const FIND_ADOPTED = `SELECT seq FROM messages WHERE author ->> '$.kind' = 'adopted' AND author ->> '$.sessionId' = ?
  AND author ->> '$.chatId' = ? AND author ->> '$.chatRecordId' = ?`;
export const TOTALS_AFTER = `SELECT max(seq) AS last_seq, max(appended_at) AS appended_at, sum${HAS_TEXT} AS messages, sum${MESSAGE_BYTES} AS bytes
  FROM messages WHERE seq > ?`;
const UP_TO = { key: "seq", condition: "seq <= ?1" } as const;
export const NEWEST_SIZES_ON_PATH = newestSizes("messages", { key: "seq", condition: `seq <= ?1 AND ${ON_PATH}` });
export const NEWEST_SIZES: Record<ShownAs, string> = {
  messages: newestSizes("messages", UP_TO),
  records: newestSizes("records", UP_TO),
  receipts: newestSizes("receipts", UP_TO),
};
export const CHATS_WITH_REPLY = "SELECT chat_id FROM messages WHERE turn_id = ? AND detail IS NOT NULL";
export const WRITE_CONTEXT =
  "INSERT INTO cached_context (one, context) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET context = excluded.context";
export const SAVE_DRAFTS =
  "INSERT INTO drafts (one, texts) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET texts = excluded.texts";
export const FIND_RESULT = "SELECT fingerprint, seq, turn_id FROM idempotency_keys WHERE caller = ? AND key = ?";
export const SAVE_RESULT =
  "INSERT OR REPLACE INTO idempotency_keys (caller, key, fingerprint, seq, turn_id, at) VALUES (?, ?, ?, ?, ?, ?)";
export const COUNT_CALLS =
  "SELECT coalesce(sum(detail ->> 'attempts'), 0) AS calls FROM messages WHERE chat_id = ? AND detail IS NOT NULL";
export const READ_STATE = "SELECT state FROM state";
export const READ_CONTEXT = "SELECT context FROM cached_context";
export const DELETE_MESSAGES = "DELETE FROM messages";
export const DELETE_TURNS = "DELETE FROM turns";
export const DELETE_DRAFTS = "DELETE FROM drafts";
export const READ_DRAFTS = "SELECT texts FROM drafts";
export const LAST_RESULT_TIME = "SELECT max(at) AS at FROM idempotency_keys";
export const DELETE_RESULTS = "DELETE FROM idempotency_keys WHERE at < ?";
