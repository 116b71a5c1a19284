/**
 * Checks the plan of each D1 query that the Worker makes in a test of `test/worker`, at the end of its file: no query reads a
 * whole table or sorts its rows. It is a setup file, so that a new query is checked as soon as any test makes it.
 */
import { env } from "cloudflare:workers";
import { afterAll, expect } from "vitest";

interface Exception {
  step: RegExp;
  query: RegExp;
  why: string;
}

/** Steps of plans that are allowed. */
const EXCEPTIONS: Exception[] = [
  { step: /^SCAN session_counts$/, query: /"session_counts"/, why: "a row per chatbot and status" },
  { step: /^SCAN feedback_counts$/, query: /"feedback_counts"/, why: "a row per chatbot and rating" },
  {
    step: /^USE TEMP B-TREE FOR GROUP BY$/,
    query: /FROM daily_statistics AS days CROSS JOIN json_each\(days\.\w+\)/,
    why: "adds up the times and errors of the days of one chatbot or client: some hundred buckets",
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    query: /from "message_feedback" .* where "message_feedback"."number" in \(select .* limit /s,
    why: "sorts the feedback of a page, at most 100",
  },
  {
    step: /^SCAN message_feedback USING COVERING INDEX message_feedback_newest$/,
    query: /order by "message_feedback"."updated_at" desc, "message_feedback"."number" desc limit /,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN revocations\b/,
    query: /"revocations"/,
    why: "a queue: it has only what cron has not closed yet",
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    query: /from "sessions" where "sessions"."number" in \((?:select|with) .* limit /s,
    why: "sorts the sessions of a page, at most 100",
  },
  {
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    query: /from "messages" .* as running_total/s,
    why: "sorts the messages of a page, at most 100 of each session",
  },
  {
    step: /^SCAN sessions USING (?:COVERING )?INDEX (?:sessions|comparisons)_newest$/,
    query: /order by "sessions"."created_at"(?: desc)?, "sessions"."number"(?: desc)?\s+limit /,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN sessions USING COVERING INDEX sessions_newest$/,
    query:
      /\bselect (?:count\(\*\)|1) from "sessions" where \(+kind = 'chatbot' and (?:"sessions"."number" not in \([^?]*\)+ and )?"sessions"."title_folded" glob \?(?: and instr\("sessions"."title_folded", \?\))?\)/,
    why: "a letter has no index, and reads the titles from this one; so do two letters that begin too many of its terms",
  },
  {
    step: /^SCAN (?:terms|session_titles_terms VIRTUAL TABLE INDEX \d+:)$/,
    query: /with terms as materialized \(select term, doc from session_titles_terms/,
    why: "the terms that begin with two letters: each is in as many titles as D1 would read otherwise",
  },
  {
    step: /^SCAN (?:chatbots|clients|keys) USING INDEX sqlite_autoindex_\w+$/,
    query: /order by "\w+"."id" desc limit \?/,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN (?:chatbots|clients)$/,
    query: /^select count\(\*\) from "(?:chatbots|clients)"/,
    why: "counts what admins and services list; no call of a session needs it",
  },
  {
    step: /^SCAN runs$/,
    query: /order by "runs"."number" desc limit \?/,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN dead_letters USING INDEX dead_letters_by_time$/,
    query: /order by "dead_letters"."at" desc limit \?/,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN dead_letters USING INDEX dead_letters_by_time$/,
    query: /order by "dead_letters"."at" desc limit \?/,
    why: "walks the list's own order as far as the page",
  },
  {
    step: /^SCAN prompt_templates USING COVERING INDEX sqlite_autoindex_prompt_templates_1$/,
    query: /^select "name" from "prompt_templates" limit \?$/,
    why: "compares a name that does not exist with 1,000 names at most",
  },
];

/** Steps that read no table: constants, results of subqueries, JSON, and the full-text index by a search. */
const NO_TABLE = /^SCAN (?:CONSTANT ROW|\d+-ROW VALUES|\(subquery|\w+ VIRTUAL TABLE INDEX (?:1:$|\d+:M))/;

/** @returns the steps of a query's plan that read a whole table or sort, without the exceptions */
export async function stepsToAvoid(query: string): Promise<string[]> {
  const explained = env.DB.prepare(`EXPLAIN QUERY PLAN ${query}`).bind(
    ...Array.from({ length: countParams(query) }, () => null),
  );
  const { results } = await explained.all<{ detail: string }>();
  return results
    .map(({ detail }) => detail)
    .filter((step) => /^SCAN\b|\bTEMP B-TREE\b|\bAUTOMATIC\b/.test(step) && !NO_TABLE.test(step))
    .filter((step) => !EXCEPTIONS.some((exception) => exception.step.test(step) && exception.query.test(query)));
}

function countParams(query: string): number {
  const withoutTexts = query.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, "");
  const numbers = Array.from(withoutTexts.matchAll(/\?(\d+)/g), ([, number]) => Number(number));
  return Math.max(0, ...numbers) + (withoutTexts.match(/\?(?!\d)/g) ?? []).length;
}

const queries = new Set<string>();

type Prepares = Pick<D1Database, "prepare">;

for (const binding of [env.DB, env.DB.withSession()]) {
  const prototype = Object.getPrototypeOf(binding) as Prepares;
  const { prepare } = prototype;
  prototype.prepare = function (this: Prepares, query) {
    // A test removes the table of the migrations, which has a row for each.
    if (!isFromTest() && !query.includes("d1_migrations")) queries.add(query);
    return prepare.call(this, query);
  };
}

/** Whether a test's own query is being prepared: then a file in `test` calls. */
function isFromTest(): boolean {
  const caller = new Error().stack?.split("\n")[3] ?? "";
  return /\/test\/|@vitest|vitest-pool|cloudflare:test/.test(caller);
}

afterAll(async () => {
  const faults: { query: string; steps: string[] }[] = [];
  for (const query of queries) {
    const steps = await stepsToAvoid(query);
    if (steps.length > 0) faults.push({ query, steps });
  }
  expect(faults, "Add an index, or a line to EXCEPTIONS in test/support/query-plans.ts with the reason").toEqual([]);
});

/** The queries so far. */
export const recordedQueries = (): ReadonlySet<string> => queries;
