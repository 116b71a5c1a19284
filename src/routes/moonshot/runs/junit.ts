/**
 * The answers of a run as JUnit's XML: a suite for each conversation, a case for each answer.
 * https://github.com/testmoapp/junitxml. Pure.
 */
import type { RunSnapshot } from "../../../runs/run-client.ts";
import type { ExportedAnswer } from "./exported-answers.ts";

export async function* junitTexts(
  run: RunSnapshot,
  answers: AsyncIterable<ExportedAnswer>,
): AsyncGenerator<string, void> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(run.name)}">\n`;
  let suite: ExportedAnswer[] = [];
  for await (const answer of answers) {
    const first = suite[0]?.result;
    const isSame = first?.itemId === answer.result.itemId && first.repetition === answer.result.repetition;
    if (!isSame && suite.length > 0) {
      yield suiteText(suite);
      suite = [];
    }
    suite.push(answer);
  }
  if (suite.length > 0) yield suiteText(suite);
  yield "</testsuites>\n";
}

const seconds = (ms: number | null): string => ((ms ?? 0) / 1000).toFixed(3);

function suiteText(suite: ExportedAnswer[]): string {
  const [first] = suite;
  const count = (isCounted: (answer: ExportedAnswer) => boolean) => suite.filter(isCounted).length;
  const failures = count(({ result }) => result.status === "ok" && result.pass === false);
  const errors = count(({ result }) => result.status !== "ok");
  const time = seconds(suite.reduce((sum, { result }) => sum + (result.durationMs ?? 0), 0));
  const name = escapeXml(`${first?.result.itemId ?? ""} #${first?.result.repetition ?? 1}`);
  const counts = `tests="${suite.length}" failures="${failures}" errors="${errors}" skipped="0" time="${time}"`;
  return `<testsuite name="${name}" ${counts}>\n${suite.map(caseText).join("")}</testsuite>\n`;
}

function caseText({ result, item }: ExportedAnswer): string {
  const name = escapeXml(`turn ${result.turn}: ${(item.turns[result.turn - 1] ?? "").slice(0, 100)}`);
  const attributes = `name="${name}" classname="${escapeXml(result.endpoint)}" time="${seconds(result.durationMs)}"`;
  const text = escapeXml(result.text);
  if (result.status !== "ok")
    return `<testcase ${attributes}><error message="${escapeXml(result.errorCode ?? "")}" type="${result.status}">${text}</error></testcase>\n`;
  if (result.pass === false)
    return `<testcase ${attributes}><failure message="not as expected" type="expect">${text}</failure></testcase>\n`;
  return `<testcase ${attributes}><system-out>${text}</system-out></testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no way to write most control characters. https://www.w3.org/TR/xml/#charsets */
const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
