/** Part `lists`: the time and the rows read of lists, with few sessions and with many. */
import type { HttpClient } from "./http-client.ts";
import { parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { ListQuery } from "./rows-read.ts";
import { countRowsRead } from "./rows-read.ts";
import type { Seeded } from "./seed-sessions.ts";
import { COMMON_WORD, RARE_WORD, seedSessions } from "./seed-sessions.ts";
import { copyState, serveParley } from "./servers.ts";
import type { Built } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, ratioOfMedians, typical } from "./statistics.ts";

const FEW = 1_000;
const MANY = 200_000;

const ROUNDS = 7;
const CALLS = 10;

const FIRST_PAGE = "first page";
const BAD_ANSWERS = "feedback, bad answers";

const QUERIES: { name: string; list: (seeded: Seeded) => ListQuery }[] = [
  { name: FIRST_PAGE, list: () => ({ filter: {}, skip: 0 }) },
  { name: "by status", list: () => ({ filter: { status: "ACTIVE" }, skip: 0 }) },
  { name: "by chatbot", list: ({ chatbotId }) => ({ filter: { chatbotId }, skip: 0 }) },
  { name: "by client", list: ({ clientId }) => ({ filter: { clientId }, skip: 0 }) },
  { name: "skip 95 %", list: ({ sessions }) => ({ filter: {}, skip: sessions * 0.95 }) },
  { name: "search, a rare word", list: () => ({ filter: { search: RARE_WORD }, skip: 0 }) },
  { name: "search, a common word", list: () => ({ filter: { search: COMMON_WORD }, skip: 0 }) },
  { name: "search, two letters", list: () => ({ filter: { search: COMMON_WORD.slice(0, 2) }, skip: 0 }) },
  { name: BAD_ANSWERS, list: () => ({ feedback: { rating: -1 } }) },
  { name: "feedback, of a chatbot", list: ({ chatbotId }) => ({ feedback: { chatbotId } }) },
];

type Size = "few" | "many";

/** The times of each query, and the rows that D1 read for it. */
interface Measured {
  timesMs: Rounds<Size, number[]>[];
  rows: Record<Size, number[]>;
}

export async function lists(built: Built): Promise<Finding[]> {
  const states = { few: copyState(built.parley.empty, "few"), many: copyState(built.parley.empty, "many") };
  const seeded = { few: seedSessions(states.few, FEW), many: seedSessions(states.many, MANY) };
  const timesMs = await measure(built, states, seeded);
  const queries = (size: Size) => QUERIES.map(({ list }) => list(seeded[size]));
  const rows = {
    few: await countRowsRead(states.few, queries("few")),
    many: await countRowsRead(states.many, queries("many")),
  };
  return report({ timesMs, rows });
}

async function measure(
  built: Built,
  states: Record<Size, string>,
  seeded: Record<Size, Seeded>,
): Promise<Measured["timesMs"]> {
  const [few, many] = [await serveParley(built, states.few), await serveParley(built, states.many)];
  const [toFew, toMany] = [parleyClient(few.origin), parleyClient(many.origin)];
  const timesMs: Measured["timesMs"] = [];
  for (const { list } of QUERIES) {
    const [fewPath, manyPath] = [pathOf(list(seeded.few)), pathOf(list(seeded.many))];
    timesMs.push(
      await interleave(ROUNDS, { few: () => measureCalls(toFew, fewPath), many: () => measureCalls(toMany, manyPath) }),
    );
  }
  for (const client of [toFew, toMany]) client.close();
  await Promise.all([few.stop(), many.stop()]);
  return timesMs;
}

function pathOf(list: ListQuery): string {
  if ("feedback" in list) return `/feedback?${queryOf({ ...list.feedback })}`;
  const { search, status, chatbotId, clientId } = list.filter;
  return `/sessions?${queryOf({ searchString: search, status, chatbotId, clientId, skip: list.skip })}`;
}

const queryOf = (given: Record<string, string | number | null | undefined>): string =>
  new URLSearchParams(
    Object.entries(given).flatMap(([name, value]) => (value == null ? [] : [[name, `${value}`]])),
  ).toString();

async function measureCalls(parley: HttpClient, path: string): Promise<number[]> {
  const timesMs: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const { ms, text } = await parley.get(path);
    if (text.includes('"results":[]')) throw new Error(`${path} found nothing`);
    timesMs.push(ms);
  }
  return timesMs;
}

function report({ timesMs, rows }: Measured): Finding[] {
  const row = (nth: number): string[] => {
    const { few, many } = timesMs[nth] as Rounds<Size, number[]>;
    const times = [inMs(typical(few)), inMs(typical(many)), asRatio(ratioOfMedians(many, few))];
    return [QUERIES[nth]?.name ?? "", ...times, `${rows.few[nth]}`, `${rows.many[nth]}`];
  };
  printTable(`Lists, ${FEW.toLocaleString("en")} and ${MANY.toLocaleString("en")} sessions`, [
    ["", "p50 ms, few", "p50 ms, many", "many to few", "rows read, few", "rows read, many"],
    ...QUERIES.map((_, nth) => row(nth)),
  ]);
  return [FIRST_PAGE, BAD_ANSWERS].map((wanted) => {
    const { few, many } = timesMs[QUERIES.findIndex(({ name }) => name === wanted)] as Rounds<Size, number[]>;
    return {
      measure: `${wanted}, ${MANY / 1_000}k sessions to ${FEW / 1_000}k`,
      value: ratioOfMedians(many, few),
      unit: "x",
      target: { atMost: 1.5 },
    };
  });
}
