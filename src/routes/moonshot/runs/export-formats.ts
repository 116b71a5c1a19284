/**
 * The answers of a run as files: JSON Lines, CSV, JUnit's XML, and what promptfoo imports. Each is made while the answers
 * are read. Pure.
 */
import type { Expectation } from "../../../core/run.ts";
import type { RunSnapshot } from "../../../runs/run-client.ts";
import { csvTable } from "../../http/csv.ts";
import { jsonLine } from "../../http/export.ts";
import type { ExportedAnswer } from "./exported-answers.ts";
import { junitTexts } from "./junit.ts";
import { promptfooTexts } from "./promptfoo.ts";

type MakeTexts = (
  run: RunSnapshot,
  answers: AsyncIterable<ExportedAnswer>,
  options: { raw?: boolean | undefined },
) => AsyncGenerator<string, void>;

export const EXPORT_FORMATS = {
  jsonl: { extension: "jsonl", textsOf: lineTexts },
  csv: { extension: "csv", textsOf: tableTexts },
  promptfoo: { extension: "json", textsOf: promptfooTexts },
  junit: { extension: "xml", textsOf: junitTexts },
} as const satisfies Record<string, { extension: string; textsOf: MakeTexts }>;

export const presentExpect = (expect: Expectation | null) =>
  expect && {
    contains: expect.contains,
    equals: expect.equals,
    not_contains: expect.notContains,
    regex: expect.regex,
  };

const resultFields = ({ result, item }: ExportedAnswer) => ({
  repetition: result.repetition,
  turn: result.turn,
  endpoint: result.endpoint,
  session_id: result.sessionId,
  chat_id: result.chatId,
  chat_record_id: result.chatRecordId,
  prompt: item.turns[result.turn - 1] ?? "",
  response: result.text,
  status: result.status,
  error_code: result.errorCode,
  pass: result.pass,
  duration_ms: result.durationMs,
  ttft_ms: result.ttftMs,
  input_tokens: result.inputTokens,
  output_tokens: result.outputTokens,
  cost: result.cost,
});

async function* lineTexts(run: RunSnapshot, answers: AsyncIterable<ExportedAnswer>): AsyncGenerator<string, void> {
  for await (const answer of answers) {
    const { id, turns, expect, tags } = answer.item;
    const item = { run_id: run.id, id, turns, expect: presentExpect(expect), tags };
    yield* jsonLine({ ...item, ...resultFields(answer) });
  }
}

const COLUMNS = [
  "run_id",
  "item_id",
  "repetition",
  "turn",
  "endpoint",
  "session_id",
  "chat_id",
  "chat_record_id",
  "prompt",
  "response",
  "status",
  "error_code",
  "pass",
  "duration_ms",
  "ttft_ms",
  "input_tokens",
  "output_tokens",
  "cost",
  "tags",
] as const;

async function* tableTexts(
  run: RunSnapshot,
  answers: AsyncIterable<ExportedAnswer>,
  { raw = false }: { raw?: boolean | undefined },
): AsyncGenerator<string, void> {
  const rows = async function* () {
    for await (const answer of answers) {
      const fields = resultFields(answer);
      const { item } = answer;
      const pass = fields.pass === null ? null : String(fields.pass);
      yield { run_id: run.id, item_id: item.id, ...fields, pass, tags: item.tags.join("|") };
    }
  };
  yield* csvTable(COLUMNS, rows(), raw);
}
