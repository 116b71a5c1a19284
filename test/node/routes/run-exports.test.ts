/** A run with hostile texts as files, each read as the programs do that it is for. */
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, it } from "vitest";
import { validateXML } from "xmllint-wasm";
import * as z from "zod";
import type { RunFields } from "../../../src/client/index.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

const JUNIT = readFileSync(new URL("../../fixtures/junit.xsd", import.meta.url).pathname, "utf8");

const ENDPOINTS = ["echo", "broken"];
const REPEAT = 2;

const HOSTILE = `=1+1 "quoted" <b>&amp;</b> ]]> a\u0000b\u0001\u0085\uFFFE ünï 🎉, it's\nanother line`;

const ITEMS = [
  { id: `a,"b"<&>'`, prompt: HOSTILE, expect: { contains: "<b>", not_contains: "zz" }, tags: ["x", "y"] },
  { id: "talk", turns: ["one", "two"], expect: { equals: "no" } },
  { id: "plain", prompt: "Not judged" },
] satisfies RunFields["items"];

let server: LocalServer;
let id: string;

beforeAll(async () => {
  server = await startLocalServer();
  const { endpoints, runs } = server.parley;
  const prices = { input_per_million: 1_000_000, output_per_million: 2_000_000 };
  await endpoints.update("echo", { prices });
  await endpoints.create({ name: "broken", connector_type: "echo-connector", params: { fail: 400 } });
  const run = await runs.create({ name: "Files & <more>", endpoints: ENDPOINTS, items: ITEMS, repeat: REPEAT });
  id = run.run_id;
  for await (const { type } of runs.follow(id)) if (type === "run-ended") break;
}, 240_000);

afterAll(() => server.stop());

type Format = "jsonl" | "csv" | "junit" | "promptfoo";

/** As it is, with its byte order mark. */
async function file(format: Format, raw = false): Promise<string> {
  const answer = await server.parley.runs.export(id, { format, ...(raw ? { raw: "1" } : {}) });
  return Buffer.from(await answer.arrayBuffer()).toString();
}

/** What every file has: the place of each answer, and what became of it, in the order of the answers. */
const ANSWERS = ITEMS.flatMap((item) =>
  Array.from({ length: REPEAT }, (_, index) => index + 1).flatMap((repetition) =>
    ("turns" in item ? item.turns : [item.prompt]).flatMap((prompt, turn, turns) =>
      ENDPOINTS.map((endpoint) => ({
        item,
        repetition,
        turn: turn + 1,
        isLast: turn + 1 === turns.length,
        prompt,
        endpoint,
      })),
    ),
  ),
);

type Answer = (typeof ANSWERS)[number];

/** As the answers are judged: only the last one of a conversation. */
function passOf({ item, isLast, endpoint }: Answer): boolean | null {
  if (!("expect" in item) || !isLast) return null;
  return endpoint === "echo" && item.id !== "talk";
}

const textOf = ({ endpoint, prompt }: Answer): string => (endpoint === "echo" ? prompt : "");

it("JSON Lines have an answer on each line, with its item", async () => {
  const lines = (await file("jsonl")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    ANSWERS.map((answer) => ({
      run_id: id,
      id: answer.item.id,
      tags: "tags" in answer.item ? answer.item.tags : [],
      turns: "turns" in answer.item ? answer.item.turns : [answer.item.prompt],
      expect: "expect" in answer.item ? answer.item.expect : null,
      repetition: answer.repetition,
      turn: answer.turn,
      endpoint: answer.endpoint,
      prompt: answer.prompt,
      session_id: expect.any(String),
      chat_id: expect.any(String),
      chat_record_id: answer.turn,
      response: textOf(answer),
      pass: passOf(answer),
      ...figuresOf(answer),
    })),
  );
});

const figuresOf = ({ endpoint }: Answer) =>
  endpoint === "echo"
    ? {
        status: "ok",
        error_code: null,
        cost: expect.any(Number),
        duration_ms: expect.any(Number),
        ttft_ms: expect.any(Number),
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
      }
    : {
        status: "error",
        error_code: "provider_rejected",
        cost: null,
        duration_ms: expect.any(Number),
        ttft_ms: null,
        input_tokens: null,
        output_tokens: null,
      };

it.each([false, true])("CSV has a row for each answer, and no cell that is a formula unless asked: %s", async (raw) => {
  const text = await file("csv", raw);
  expect(text.startsWith("\uFEFFrun_id,item_id,repetition,turn,endpoint,")).toBe(true);
  const rows: Record<string, string>[] = parse(text, { bom: true, columns: true, recordDelimiter: "\r\n" });
  const cell = (value: string): string => (!raw && value.startsWith("=") ? `'${value}` : value);
  expect(rows).toMatchObject(
    ANSWERS.map((answer) => ({
      run_id: id,
      item_id: answer.item.id,
      tags: "tags" in answer.item ? "x|y" : "",
      repetition: `${answer.repetition}`,
      turn: `${answer.turn}`,
      endpoint: answer.endpoint,
      prompt: cell(answer.prompt),
      response: cell(textOf(answer)),
      pass: String(passOf(answer) ?? ""),
      error_code: answer.endpoint === "echo" ? "" : "provider_rejected",
      cost: answer.endpoint === "echo" ? expect.stringMatching(/^[1-9]\d*$/) : "",
    })),
  );
});

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };
const decode = (text: string): string => text.replace(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? "?");

it("JUnit's XML is valid, with a suite for each conversation and a case for each answer", async () => {
  const xml = await file("junit");
  const { valid, errors } = await validateXML({ xml, schema: JUNIT });
  expect([valid, errors]).toEqual([true, []]);
  expect(xml).toContain('<testsuites name="Files &amp; &lt;more&gt;">');
  const suites = [...xml.matchAll(/<testsuite (.*?)>(.*?)<\/testsuite>/gs)].map(([, head = "", cases = ""]) => {
    const [, name, counts] =
      /^name="(.*)" (tests="\d+" failures="\d+" errors="\d+" skipped="\d+") time=/.exec(head) ?? [];
    return {
      name: decode(name ?? ""),
      counts,
      cases: [...cases.matchAll(CASE)].map(([, ...parts]) => parts.map(decode)),
    };
  });
  const wanted = Map.groupBy(ANSWERS, ({ item, repetition }) => `${item.id} #${repetition}`);
  expect(suites).toEqual(
    Array.from(wanted, ([name, answers]) => {
      const failures = answers.filter((answer) => answer.endpoint === "echo" && passOf(answer) === false).length;
      const counts = `tests="${answers.length}" failures="${failures}" errors="${answers.length / 2}" skipped="0"`;
      return { name, counts, cases: answers.map(caseOf) };
    }),
  );
});

const CASE =
  /<testcase name="([^"]*)" classname="([^"]*)" time="[\d.]+"><(system-out|failure message="not as expected" type="expect"|error message="provider_rejected" type="error")>([^<]*)</g;

/** XML cannot say all characters. */
const inXml = (text: string): string => text.replace(/(?!\n)\p{Cc}|\uFFFE/gu, "\uFFFD");

function caseOf(answer: Answer): string[] {
  const isFailed = answer.endpoint === "echo" && passOf(answer) === false;
  const outcome = isFailed ? 'failure message="not as expected" type="expect"' : "system-out";
  const name = `turn ${answer.turn}: ${inXml(answer.prompt)}`;
  if (answer.endpoint === "echo") return [name, "echo", outcome, inXml(textOf(answer))];
  return [name, answer.endpoint, 'error message="provider_rejected" type="error"', ""];
}

/** What `promptfoo import` stores, and its pages show. https://www.promptfoo.dev/docs/configuration/reference/#evaluatesummary */
const Tokens = z.looseObject({ prompt: z.int(), completion: z.int() });
const Graded = z.object({ pass: z.boolean(), score: z.number(), reason: z.string() });
const Assertion = z.object({ type: z.enum(["contains", "not-contains", "equals", "regex"]), value: z.string() });
const Metrics = z.object({
  score: z.number(),
  testPassCount: z.int(),
  testFailCount: z.int(),
  testErrorCount: z.int(),
  assertPassCount: z.int(),
  assertFailCount: z.int(),
  totalLatencyMs: z.number(),
  tokenUsage: Tokens,
  namedScores: z.record(z.string(), z.number()),
  namedScoresCount: z.record(z.string(), z.number()),
  cost: z.number(),
});
const PromptfooFile = z.object({
  evalId: z.string(),
  config: z.object({ description: z.string(), providers: z.array(z.string()) }),
  results: z.object({
    version: z.literal(3),
    timestamp: z.iso.datetime(),
    prompts: z.array(z.object({ raw: z.string(), label: z.string(), provider: z.string(), metrics: Metrics })),
    results: z.array(
      z.object({
        promptIdx: z.int().nonnegative(),
        testIdx: z.int().nonnegative(),
        prompt: z.object({ raw: z.string(), label: z.string() }),
        provider: z.object({ id: z.string(), label: z.string() }),
        vars: z.record(z.string(), z.string()),
        testCase: z.looseObject({ vars: z.record(z.string(), z.string()), assert: z.array(Assertion) }),
        response: z.object({ output: z.string(), tokenUsage: Tokens }),
        error: z.optional(z.string()),
        success: z.boolean(),
        score: z.number(),
        failureReason: z.literal([0, 1, 2]),
        gradingResult: Graded.extend({ componentResults: z.array(Graded.extend({ assertion: Assertion })) }),
        namedScores: z.record(z.string(), z.number()),
        metadata: z.record(z.string(), z.unknown()),
        latencyMs: z.number(),
        cost: z.number(),
      }),
    ),
    stats: z.object({ successes: z.int(), failures: z.int(), errors: z.int(), tokenUsage: Tokens }),
  }),
  metadata: z.object({ evaluationCreatedAt: z.iso.datetime() }),
});

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

it("promptfoo gets what it imports: a test for each conversation, with the last answer of each endpoint", async () => {
  const { evalId, config, results } = PromptfooFile.parse(JSON.parse(await file("promptfoo")));
  expect([evalId, config]).toEqual([id, { description: "Files & <more>", providers: ENDPOINTS }]);
  const last = ANSWERS.filter(({ isLast }) => isLast);
  expect(results.results).toMatchObject(
    last.map((answer, index) => {
      const hasAnswered = answer.endpoint === "echo";
      const success = hasAnswered && passOf(answer) !== false;
      const vars = { prompt: answer.prompt, item: answer.item.id, repetition: `${answer.repetition}` };
      return {
        promptIdx: ENDPOINTS.indexOf(answer.endpoint),
        testIdx: Math.floor(index / 2),
        vars,
        success,
        prompt: { raw: answer.prompt },
        provider: { id: answer.endpoint },
        testCase: { vars },
        response: { output: textOf(answer) },
        score: Number(success),
        gradingResult: { pass: success },
        ...(hasAnswered ? { failureReason: success ? 0 : 1 } : { error: "provider_rejected", failureReason: 2 }),
      };
    }),
  );
  expect(results.results[0]?.testCase.assert).toEqual([
    { type: "contains", value: "<b>" },
    { type: "not-contains", value: "zz" },
  ]);
  expect(results.stats).toMatchObject({ successes: 4, failures: 2, errors: 6 });
  for (const [place, { provider, metrics }] of results.prompts.entries()) {
    const own = results.results.filter(({ promptIdx }) => promptIdx === place);
    const counts = provider === "echo" ? [4, 2, 0] : [0, 0, 6];
    expect([metrics.testPassCount, metrics.testFailCount, metrics.testErrorCount]).toEqual(counts);
    expect(metrics).toMatchObject({ score: counts[0], assertPassCount: provider === "echo" ? 4 : 0 });
    expect(metrics.cost).toBeCloseTo(sum(own.map(({ cost }) => cost)));
    expect(metrics.totalLatencyMs).toBe(sum(own.map(({ latencyMs }) => latencyMs)));
    expect(metrics.tokenUsage.completion).toBe(sum(own.map(({ response }) => response.tokenUsage.completion)));
  }
  expect(results.prompts[0]?.metrics.cost).toBeGreaterThan(0);
});

it("a data set that is refused at its beginning gets its answer, however much is still being sent", async () => {
  const answer = await fetch(`${server.address}/v1/runs?name=r&endpoints=echo`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "text/csv" },
    body: `prompt\n"${",".repeat(33_000_000)}"\n`,
  });
  expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("Line 2: A row has at most")]);
});
