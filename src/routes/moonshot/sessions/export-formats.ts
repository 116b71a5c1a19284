/**
 * The file formats of `GET /v1/sessions/:id/export`: JSON Lines for programs, CSV for spreadsheets. Each is a generator
 * of text that works only as fast as it is read. Reading the log and sending the file do not belong here. No effects.
 */
import type { ChatReply } from "./replies.ts";
import { presentRecord } from "./records.ts";

/** What an export is made from. */
interface ExportInput {
  sessionId: string;
  /** The IANA zone of `prompt_time`. */
  zone: string;
  replies: AsyncIterable<ChatReply>;
}

export interface ExportFormat {
  contentType: string;
  text: (input: ExportInput) => AsyncGenerator<string, void>;
}

/**
 * JSON Lines: one object per line. `response` is the reply's text if the reply succeeded, otherwise `null`;
 * `predicted_result` has the error message then. https://jsonlines.org
 */
async function* jsonLines({ sessionId, zone, replies }: ExportInput): AsyncGenerator<string, void> {
  for await (const chatReply of replies) {
    const { receipt, ...fields } = presentRecord(chatReply, zone, "receipt");
    const line = { ...idFields(sessionId, chatReply), ...fields, response: responseOf(chatReply), receipt };
    yield `${JSON.stringify(line).replace(LINE_SEPARATORS, escapeCharacter)}\n`;
  }
}

/** JSON allows them in strings, but some readers take them for the end of a line. */
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/g;
const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

const responseOf = ({ reply, content }: ChatReply): string | null => (reply.status === "ok" ? content : null);

const idFields = (sessionId: string, { chat }: ChatReply) => ({
  session_id: sessionId,
  chat_id: chat.chatId,
  endpoint: chat.endpointId ?? "",
});

/** The columns of a CSV file, in order. */
export const COLUMNS = [
  "session_id",
  "chat_id",
  "endpoint",
  "chat_record_id",
  "prompt_time",
  "prompt",
  "prepared_prompt",
  "predicted_result",
  "status",
  "error_code",
  "finish_reason",
  "model",
  "duration_ms",
  "ttft_ms",
  "input_tokens",
  "output_tokens",
  "prompt_template",
  "context_strategy",
] as const;

type Cell = string | number | null;

/** Without it, Excel reads a CSV file in the encoding of the system, which is rarely UTF-8. */
const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Comma-separated values with a header, by RFC 4180, in UTF-8 with a byte order mark:
 * https://www.rfc-editor.org/rfc/rfc4180
 */
async function* csvRows({ sessionId, zone, replies }: ExportInput): AsyncGenerator<string, void> {
  yield BYTE_ORDER_MARK + row(COLUMNS);
  for await (const chatReply of replies) {
    const record = presentRecord(chatReply, zone, undefined);
    const cells: Record<(typeof COLUMNS)[number], Cell> = {
      ...record,
      ...idFields(sessionId, chatReply),
      error_code: record.error?.code ?? null,
      input_tokens: record.usage?.input_tokens ?? null,
      output_tokens: record.usage?.output_tokens ?? null,
    };
    yield row(COLUMNS.map((column) => cells[column]));
  }
}

const row = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/**
 * The beginning of a cell that a spreadsheet may take for a formula: `=`, `+`, `-` or `@`, also in full width, and
 * control characters that some programs skip before it. https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

function csvCell(value: Cell): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const EXPORT_FORMATS: Record<"jsonl" | "csv", ExportFormat> = {
  jsonl: { contentType: "application/jsonl", text: jsonLines },
  csv: { contentType: "text/csv; charset=utf-8", text: csvRows },
};
