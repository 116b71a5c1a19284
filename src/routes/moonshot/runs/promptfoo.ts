/**
 * The answers of a run as promptfoo imports them (`promptfoo import`, version 3 of its results): a test for each
 * conversation, with the last answer of each endpoint. https://www.promptfoo.dev/docs/configuration/outputs/. Pure.
 */
import { isoTime } from "../../../core/time.ts";
import type { ExportedResult, RunSnapshot } from "../../../runs/run-client.ts";
import type { ExportedAnswer } from "./exported-answers.ts";

export async function* promptfooTexts(
  run: RunSnapshot,
  answers: AsyncIterable<ExportedAnswer>,
): AsyncGenerator<string, void> {
  const at = isoTime(run.createdAt);
  const head = { version: 3, timestamp: at, prompts: promptsOf(run) };
  yield `{"evalId":${JSON.stringify(run.id)},"results":${JSON.stringify(head).slice(0, -1)},"results":[`;
  const stats = { successes: 0, failures: 0, errors: 0, tokenUsage: { prompt: 0, completion: 0, cached: 0, total: 0 } };
  let separator = "";
  // promptfoo knows tests by their index: each repetition is one.
  let [test, index] = ["", -1];
  for await (const answer of answers) {
    if (answer.result.turn < answer.item.turns.length) continue;
    const name = `${answer.result.repetition} ${answer.item.id}`;
    if (name !== test) index += 1;
    test = name;
    const result = presentResult(run, answer, index);
    stats[countedAs(result)] += 1;
    yield separator + JSON.stringify(result);
    separator = ",";
  }
  const config = { description: run.name, providers: run.endpoints, prompts: ["{{prompt}}"], tests: [] };
  const rest = { config, shareableUrl: null, metadata: { evaluationCreatedAt: at, exportedAt: at } };
  yield `],"stats":${JSON.stringify(stats)}},${JSON.stringify(rest).slice(1)}\n`;
}

const promptsOf = (run: RunSnapshot) =>
  run.results.map(({ endpoint, figures }) => ({
    raw: "{{prompt}}",
    label: "{{prompt}}",
    id: endpoint,
    provider: endpoint,
    metrics: {
      score: figures.passed,
      testPassCount: figures.passed,
      testFailCount: figures.judged - figures.passed,
      testErrorCount: Object.values(figures.errors).reduce((sum, count) => sum + count, 0),
      assertPassCount: figures.passed,
      assertFailCount: figures.judged - figures.passed,
      totalLatencyMs: 0,
      tokenUsage: { prompt: figures.inputTokens, completion: figures.outputTokens, cached: 0 },
      namedScores: {},
      namedScoresCount: {},
      cost: figures.cost ?? 0,
    },
  }));

const countedAs = ({ success, error }: { success: boolean; error?: string }) => {
  if (success) return "successes";
  return error === undefined ? "failures" : "errors";
};

/** promptfoo's: none, not as expected, error. */
const FAILURES = { none: 0, assert: 1, error: 2 };

function presentResult(run: RunSnapshot, { result, item }: ExportedAnswer, testIdx: number) {
  const success = result.status === "ok" && result.pass !== false;
  const prompt = item.turns.at(-1) ?? "";
  const assert = Object.entries(item.expect ?? {}).map(([name, value]) => ({ type: ASSERTS[name] ?? name, value }));
  const graded = { pass: success, score: Number(success), reason: success ? "As expected" : "Not as expected" };
  return {
    id: `${result.sessionId}/${result.chatId}/${result.chatRecordId}`,
    promptIdx: run.endpoints.indexOf(result.endpoint),
    testIdx,
    promptId: result.endpoint,
    provider: { id: result.endpoint, label: result.endpoint },
    prompt: { raw: prompt, label: "{{prompt}}" },
    vars: { prompt, item: item.id, repetition: String(result.repetition) },
    testCase: { vars: { prompt }, assert, metadata: { tags: item.tags } },
    ...measuresOf(result),
    success,
    score: Number(success),
    namedScores: {},
    failureReason: success ? FAILURES.none : FAILURES[result.status === "ok" ? "assert" : "error"],
    gradingResult: { ...graded, componentResults: assert.map((assertion) => ({ ...graded, assertion })) },
    metadata: { session_id: result.sessionId, turns: item.turns.length },
  };
}

const measuresOf = ({ text, status, errorCode, inputTokens, outputTokens, durationMs, cost }: ExportedResult) => ({
  response: { output: text, tokenUsage: { prompt: inputTokens ?? 0, completion: outputTokens ?? 0 } },
  ...(status === "ok" ? {} : { error: errorCode ?? status }),
  latencyMs: durationMs ?? 0,
  cost: cost ?? 0,
});

const ASSERTS: Readonly<Record<string, string>> = { notContains: "not-contains" };
