/**
 * What the files of `GET /sessions/:id/export` contain: the replies of a chat, each with the prompt that it answers, as
 * lines of JSON or as CSV. Each is a generator of text that works only as fast as it is read. Reading the log and
 * sending the file do not belong here. No effects.
 */
import type { CallerRole } from "../../../core/caller.ts";
import { costOfReply, hasText, queueMsOf } from "../../../core/message.ts";
import { isOnPath } from "../../../core/message-tree.ts";
import type { Session } from "../../../core/session.ts";
import { isoTime } from "../../../core/time.ts";
import { csvTable, wideTable } from "../../http/csv.ts";
import type { Cell } from "../../http/csv.ts";
import { jsonLine } from "../../http/export.ts";
import type { ExportQuery } from "../../http/export.ts";
import type { LoggedReply } from "../../http/log-replies.ts";

/** A reply, and whether it is on the active path. */
type ExportedReply = LoggedReply & { active: boolean };

async function* withActive({ session, replies }: ExportInput): AsyncGenerator<ExportedReply, void> {
  for await (const logged of replies) {
    const { message } = logged;
    yield { ...logged, active: hasText(message) && isOnPath(session.activePath, message.seq) };
  }
}

/** What an export is made from. */
interface ExportInput {
  session: Session;
  viewerRole: CallerRole | null;
  /** In the order of the log. */
  replies: AsyncIterable<LoggedReply>;
}

export function exportTexts(input: ExportInput, { format, layout, raw = false }: ExportQuery) {
  if (format === "jsonl") return jsonLines(input);
  if (layout === "wide") return wideRows(input, raw);
  const columns = input.viewerRole === "client" ? CLIENT_COLUMNS : COLUMNS;
  return csvTable(columns, replyCells(input), raw);
}

async function* jsonLines(input: ExportInput): AsyncGenerator<string, void> {
  const { session, viewerRole } = input;
  const present = viewerRole === "client" ? presentForClients : presentReply;
  for await (const logged of withActive(input)) yield* jsonLine({ sessionId: session.id, ...present(logged) });
}

/** A client does not see how its chatbot is configured, what it costs, and what its provider says. */
function presentForClients({ prompt, message, reply, active }: ExportedReply) {
  return {
    turn: message.turnNumber,
    promptTimestamp: prompt && isoTime(prompt.createdAt),
    // A repeated call runs a failed turn again: its prompt is in the earlier turn, and was sent unchanged.
    prompt: prompt?.content ?? (reply.preparedPrompt || null),
    seq: message.seq,
    active,
    timestamp: isoTime(message.createdAt),
    response: reply.status === "ok" ? message.content : null,
    partialResponse: reply.status === "ok" || message.content === "" ? null : message.content,
    status: reply.status,
    error: reply.error && { code: reply.error.code },
    finishReason: reply.finishReason,
    usage: reply.usage,
    durationMs: reply.durationMs,
    ttftMs: reply.ttftMs,
  };
}

const presentReply = (logged: ExportedReply) => ({
  ...presentForClients(logged),
  error: logged.reply.error,
  finishReasonRaw: logged.reply.finishReasonRaw ?? null,
  endpointId: logged.reply.endpointId,
  model: logged.reply.model,
  queueMs: queueMsOf(logged.reply),
  attempts: logged.reply.attempts,
  providerRequestId: logged.reply.providerRequestId,
  cost: costOfReply(logged.reply),
});

/** The columns of a CSV file with a row for each reply, in order. */
const COLUMNS = [
  "sessionId",
  "endpointId",
  "turn",
  "promptTimestamp",
  "prompt",
  "seq",
  "active",
  "timestamp",
  "response",
  "partialResponse",
  "status",
  "errorCode",
  "errorMessage",
  "finishReason",
  "model",
  "attempts",
  "queueMs",
  "durationMs",
  "ttftMs",
  "inputTokens",
  "outputTokens",
  "cost",
] as const;

const HIDDEN_FROM_CLIENTS: ReadonlySet<string> = new Set<(typeof COLUMNS)[number]>([
  "endpointId",
  "errorMessage",
  "model",
  "attempts",
  "queueMs",
  "cost",
]);
const CLIENT_COLUMNS = COLUMNS.filter((column) => !HIDDEN_FROM_CLIENTS.has(column));

async function* replyCells(input: ExportInput) {
  const { session } = input;
  for await (const logged of withActive(input)) {
    const { error, usage, ...fields } = presentReply(logged);
    yield {
      ...fields,
      active: String(fields.active),
      sessionId: session.id,
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      inputTokens: usage?.inputTokens ?? null,
      outputTokens: usage?.outputTokens ?? null,
    } satisfies Record<(typeof COLUMNS)[number], Cell> & object;
  }
}

/** A chat has one endpoint at a time, which its chatbot names, so it has one column. */
const wideRows = ({ session, viewerRole, replies }: ExportInput, raw: boolean) =>
  wideTable(
    {
      prompt: ["sessionId", "turn", "promptTimestamp", "prompt"],
      promptCells: (logged) => {
        const { turn, promptTimestamp, prompt } = presentForClients({ ...logged, active: true });
        return [session.id, turn, promptTimestamp, prompt];
      },
      chats: ["response"],
      chatCell: ({ reply: { error }, message }) => {
        if (error === null) return message.content;
        return viewerRole === "client" ? `[${error.code}]` : `[${error.code}] ${error.message}`;
      },
    },
    replies,
    raw,
  );
