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
  yield `{"evalId":${JSON.stringify(run.id)},"results":{"version":3,"timestamp":"${at}","results":[`;
  const metrics = run.endpoints.map(noMetrics);
  let separator = "";
  // promptfoo knows tests by their index: each repetition is one.
  let [test, index] = ["", -1];
  for await (const answer of answers) {
    if (answer.result.turn < answer.item.turns.length) continue;
    const name = `${answer.result.repetition} ${answer.item.id}`;
    if (name !== test) index += 1;
    test = name;
    const result = presentResult(run, answer, index);
    const ofEndpoint = metrics[result.promptIdx];
    if (ofEndpoint) countIn(ofEndpoint, result);
    yield separator + JSON.stringify(result);
    separator = ",";
  }
  const prompts = run.endpoints.map((endpoint, place) => presentPrompt(endpoint, metrics[place]));
  const config = { description: run.name, providers: run.endpoints, prompts: ["{{prompt}}"], tests: [] };
  const rest = { config, shareableUrl: null, metadata: { evaluationCreatedAt: at, exportedAt: at } };
  const counted = { prompts, stats: statsOf(metrics) };
  yield `],${JSON.stringify(counted).slice(1)},${JSON.stringify(rest).slice(1)}\n`;
}

/** What promptfoo shows of a prompt: an endpoint, with its tests. */
const noMetrics = () => ({
  score: 0,
  testPassCount: 0,
  testFailCount: 0,
  testErrorCount: 0,
  assertPassCount: 0,
  assertFailCount: 0,
  totalLatencyMs: 0,
  tokenUsage: { prompt: 0, completion: 0, cached: 0, total: 0 },
  namedScores: {},
  namedScoresCount: {},
  cost: 0,
});
type Metrics = ReturnType<typeof noMetrics>;

/** Changes the metrics. */
function countIn(metrics: Metrics, result: ReturnType<typeof presentResult>): void {
  const { success, error, latencyMs, cost, gradingResult, response } = result;
  if (success) metrics.testPassCount += 1;
  else if (error === undefined) metrics.testFailCount += 1;
  else metrics.testErrorCount += 1;
  const asserts = gradingResult.componentResults.length;
  metrics[success ? "assertPassCount" : "assertFailCount"] += asserts;
  metrics.score += result.score;
  metrics.totalLatencyMs += latencyMs;
  metrics.cost += cost;
  const { prompt, completion } = response.tokenUsage;
  metrics.tokenUsage.prompt += prompt;
  metrics.tokenUsage.completion += completion;
  metrics.tokenUsage.total += prompt + completion;
}

function presentPrompt(endpoint: string, metrics: Metrics | undefined) {
  return { raw: "{{prompt}}", label: "{{prompt}}", id: endpoint, provider: endpoint, metrics };
}

function statsOf(metrics: Metrics[]) {
  const sum = (read: (one: Metrics) => number) => metrics.reduce((total, one) => total + read(one), 0);
  return {
    successes: sum(({ testPassCount }) => testPassCount),
    failures: sum(({ testFailCount }) => testFailCount),
    errors: sum(({ testErrorCount }) => testErrorCount),
    tokenUsage: {
      prompt: sum(({ tokenUsage }) => tokenUsage.prompt),
      completion: sum(({ tokenUsage }) => tokenUsage.completion),
      cached: 0,
      total: sum(({ tokenUsage }) => tokenUsage.total),
    },
  };
}

/** promptfoo's: none, not as expected, error. */
const FAILURES = { none: 0, assert: 1, error: 2 };

function presentResult(run: RunSnapshot, { result, item }: ExportedAnswer, testIdx: number) {
  const success = result.status === "ok" && result.pass !== false;
  const prompt = item.turns.at(-1) ?? "";
  const vars = { prompt, item: item.id, repetition: String(result.repetition) };
  const assert = Object.entries(item.expect ?? {}).map(([name, value]) => ({ type: ASSERTS[name] ?? name, value }));
  const graded = { pass: success, score: Number(success), reason: success ? "As expected" : "Not as expected" };
  return {
    id: `${result.sessionId}/${result.chatId}/${result.chatRecordId}`,
    promptIdx: run.endpoints.indexOf(result.endpoint),
    testIdx,
    promptId: result.endpoint,
    provider: { id: result.endpoint, label: result.endpoint },
    prompt: { raw: prompt, label: "{{prompt}}" },
    vars,
    testCase: { vars, assert, metadata: { tags: item.tags } },
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
  error: status === "ok" ? undefined : (errorCode ?? status),
  latencyMs: durationMs ?? 0,
  cost: cost ?? 0,
});

const ASSERTS: Readonly<Record<string, string>> = { notContains: "not-contains" };
