/**
 * What the files of `GET /v1/sessions/:id/export` contain: lines of JSON for programs, and CSV for spreadsheets, with a
 * row for each record or a row for each prompt. Each is a generator of text that works only as fast as it is read.
 * Reading the log and sending the file do not belong here. No effects.
 */
import { costOfReply } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import { zonedPromptTime } from "../../../core/time.ts";
import { csvTable, wideTable } from "../../http/csv.ts";
import type { Cell } from "../../http/csv.ts";
import { jsonLine } from "../../http/export.ts";
import type { ExportQuery } from "../../http/export.ts";
import type { LoggedReply } from "../../http/log-replies.ts";
import { endpointNameOf, predictedResult } from "../../moonshot-shared/sessions/record-sources.ts";
import type { RecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import { presentRecord } from "./records.ts";

/** What an export is made from. */
interface ExportInput {
  session: Session;
  /** The IANA zone of `prompt_time`. */
  zone: string;
  /** By turn, and within a turn by chat. */
  replies: AsyncIterable<LoggedReply>;
}

export function exportTexts(input: ExportInput, { format, layout, raw = false }: ExportQuery) {
  if (format === "jsonl") return jsonLines(input);
  return layout === "wide" ? wideRows(input, raw) : csvTable(COLUMNS, recordCells(input), raw);
}

/** `response` is the reply's text if the reply succeeded, otherwise `null`; `predicted_result` has the error then. */
async function* jsonLines({ session, zone, replies }: ExportInput): AsyncGenerator<string, void> {
  for await (const logged of replies) {
    const { receipt, ...fields } = presentRecord(sourceOf(logged), zone, "receipt");
    yield* jsonLine({ ...idFields(session, logged), ...fields, response: responseOf(logged), receipt });
  }
}

/** The columns of a CSV file with a row for each record, in order. */
const COLUMNS = [
  "session_id",
  "chat_id",
  "endpoint",
  "chat_record_id",
  "prompt_time",
  "prompt",
  "prepared_prompt",
  "predicted_result",
  "response",
  "partial_result",
  "status",
  "error_code",
  "error_message",
  "finish_reason",
  "model",
  "attempts",
  "queue_ms",
  "duration_ms",
  "ttft_ms",
  "input_tokens",
  "output_tokens",
  "cost",
  "prompt_template",
  "context_strategy",
] as const;

async function* recordCells({ session, zone, replies }: ExportInput) {
  for await (const logged of replies) {
    const record = presentRecord(sourceOf(logged), zone, undefined);
    yield {
      ...record,
      ...idFields(session, logged),
      response: responseOf(logged),
      error_code: record.error?.code ?? null,
      error_message: record.error?.message ?? null,
      input_tokens: record.usage?.input_tokens ?? null,
      output_tokens: record.usage?.output_tokens ?? null,
      cost: costOfReply(logged.reply),
    } satisfies Record<(typeof COLUMNS)[number], Cell> & object;
  }
}

const wideRows = ({ session, zone, replies }: ExportInput, raw: boolean) =>
  wideTable(
    {
      prompt: ["session_id", "chat_record_id", "prompt_time", "prompt"],
      promptCells: (logged) => {
        const { prompt, number } = sourceOf(logged);
        return [session.id, number, zonedPromptTime(prompt.createdAt, zone), prompt.content];
      },
      chats: session.chats.map(endpointNameOf),
      chatCell: ({ reply, message }) => predictedResult(reply, message.content),
    },
    replies,
    raw,
  );

/** @throws if the prompt is missing, because the prompt of a comparison is in the turn of its replies */
function sourceOf({ prompt, message, reply }: LoggedReply): RecordSource {
  if (!prompt) throw new Error(`The prompt of message ${message.seq} is not in its turn`);
  return { chatId: message.chatId ?? "", reply, content: message.content, prompt, number: prompt.turnNumber ?? 0 };
}

const responseOf = ({ reply, message }: LoggedReply): string | null => (reply.status === "ok" ? message.content : null);

const idFields = (session: Session, { chat }: LoggedReply) => ({
  session_id: session.id,
  chat_id: chat.chatId,
  endpoint: endpointNameOf(chat),
});
