/**
 * Runs against a provider that counts its calls: the limits of its endpoints hold over runs and sessions together, and the
 * figures of a run are those of a reference written apart, on models whose flakiness is known.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";
import { startTimedProvider } from "../../support/timed-provider.node.ts";
import type { TimedProvider } from "../../support/timed-provider.node.ts";

const AT_ONCE = 3;
const PER_SECOND = 20;

const REPEAT = 5;
const ITEMS = 12;
/** By model: how many of the repetitions of an item pass. */
const PASSES: Record<string, (item: number) => number> = {
  flaky: (item) => item % (REPEAT + 1),
  flakier: (item) => (item * 7 + 3) % 4,
};

let server: LocalServer;
let provider: TimedProvider;

beforeAll(async () => {
  provider = await startTimedProvider(
    (model) => (model === "narrow" ? 50 : 5),
    ({ model, prompt, before }) => {
      const passes = PASSES[model]?.(Number(prompt));
      if (passes === undefined || before < passes) return `Yes, ${prompt}.`;
      // Of the attempts that do not pass, every other one fails.
      return before % 2 === 0 ? "No." : { status: 400 };
    },
  );
  server = await startLocalServer({ RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1" });
  const limits: Record<string, object> = {
    narrow: { max_concurrency: AT_ONCE },
    slow: { max_calls_per_second: PER_SECOND },
    flaky: {},
    flakier: {},
  };
  for (const [name, fields] of Object.entries(limits)) await createEndpoint(name, fields);
}, 120_000);

afterAll(async () => {
  await server.stop();
  await provider.stop();
});

const createEndpoint = (name: string, fields: object) =>
  server.parley.endpoints.create({
    name,
    connector_type: "openai-connector",
    uri: provider.uri,
    token: "t",
    model: name,
    ...fields,
  });

interface Run {
  run_id: string;
  status: string;
  progress: { done: number; of: number; errors: number };
  results: Record<
    string,
    {
      ok: number;
      passed: number;
      judged: number;
      errors: Record<string, number>;
      mean: number;
      interval: [number, number];
      pass_at_k: Record<string, number>;
      pass_hat_k: Record<string, number>;
    }
  >;
}

const call = async <T>(method: "GET" | "POST", path: string, body?: object): Promise<T> =>
  server.parley.connection.call({ method, path, body, repeats: "never" });

async function run(body: object): Promise<Run> {
  const { run: created } = await call<{ run: Run }>("POST", "/v1/runs", { name: "Figures", ...body });
  for (;;) {
    const { run: found } = await call<{ run: Run }>("GET", `/v1/runs/${created.run_id}`);
    if (found.status !== "running") return found;
    await sleep(100);
  }
}

/** Prompts a session until it is over. @returns how many prompts it has put */
async function prompting(endpoints: string[], isOver: () => boolean): Promise<number> {
  const session = await server.parley.comparisons.create({ name: "Beside", endpoints });
  let prompts = 0;
  for (; !isOver(); prompts++) await server.parley.comparisons.prompt(session.session_id, { prompt: `${prompts}` });
  return prompts;
}

/** Long enough that a call that is late on its way on a busy machine does not count. */
const WINDOW_S = 3;

/** The highest number of calls that began within a window. */
function mostInWindow(starts: readonly number[], windowMs: number): number {
  const within = starts.map((from) => starts.filter((start) => start >= from && start < from + windowMs).length);
  return Math.max(...within);
}

it("an endpoint's limits hold over runs and sessions together, as its provider counts them", async () => {
  const endpoints = ["narrow", "slow"];
  const items = Array.from({ length: 30 }, (_, index) => ({ turns: [`a${index}`, `b${index}`] }));
  let areOver = false;
  const beside = [1, 2, 3].map(() => prompting(endpoints, () => areOver));
  const runs = await Promise.all([1, 2].map(() => run({ endpoints, items, concurrency: 16 })));
  areOver = true;
  const prompts = (await Promise.all(beside)).reduce((sum, count) => sum + count, 0);
  for (const { status, progress } of runs)
    expect({ status, progress }).toEqual({ status: "completed", progress: { done: 120, of: 120, errors: 0 } });
  const [narrow, slow] = [provider.startTimes("narrow"), provider.startTimes("slow")];
  expect([narrow.length, slow.length]).toEqual([120 + prompts, 120 + prompts]);
  expect(provider.mostAtOnce("narrow")).toBe(AT_ONCE);
  expect(mostInWindow(slow, WINDOW_S * 1_000)).toBeLessThanOrEqual(WINDOW_S * PER_SECOND);
});

/** All ways to choose k of a list. */
function choices<T>(list: T[], k: number): T[][] {
  const [first, ...rest] = list;
  if (k === 0) return [[]];
  if (first === undefined) return [];
  return [...choices(rest, k - 1).map((chosen) => [first, ...chosen]), ...choices(rest, k)];
}

const meanOf = (shares: number[]): number => shares.reduce((sum, share) => sum + share, 0) / shares.length;

/** By its definition: the share of all ways to choose k attempts that are as asked. */
const shareOfChoices = (attempts: boolean[], k: number, isSo: (chosen: boolean[]) => boolean): number =>
  meanOf(choices(attempts, k).map((chosen) => Number(isSo(chosen))));

/** The share from which the observed one is 1.96 standard errors away, on one side of it: by halving. */
function boundOf(share: number, judged: number, side: 0 | 1): number {
  const isInside = (other: number): boolean =>
    Math.abs(share - other) <= 1.96 * Math.sqrt((other * (1 - other)) / judged);
  let bound = { inside: share, outside: side as number };
  for (let step = 0; step < 60; step++) {
    const middle = (bound.inside + bound.outside) / 2;
    bound = isInside(middle) ? { ...bound, inside: middle } : { ...bound, outside: middle };
  }
  return bound.inside;
}

it("the figures of a run are those of a reference, on models of known flakiness", async () => {
  const items = Array.from({ length: ITEMS }, (_, index) => ({ prompt: `${index}`, expect: { contains: "Yes" } }));
  const endpoints = Object.keys(PASSES);
  const { results } = await run({ endpoints, items, repeat: REPEAT });
  for (const [endpoint, passesOf] of Object.entries(PASSES)) {
    const attempts = items.map((_, item) => Array.from({ length: REPEAT }, (__, nth) => nth < passesOf(item)));
    const found = results[endpoint];
    const [passed, judged] = [attempts.flat().filter(Boolean).length, ITEMS * REPEAT];
    expect(found).toMatchObject({ passed, judged, mean: passed / judged });
    expect(found?.ok).toBe(judged - Object.values(found?.errors ?? {}).reduce((sum, count) => sum + count, 0));
    for (const k of [1, REPEAT]) {
      const [some, every] = [(chosen: boolean[]) => chosen.some(Boolean), (chosen: boolean[]) => chosen.every(Boolean)];
      expect(found?.pass_at_k[k]).toBeCloseTo(meanOf(attempts.map((of) => shareOfChoices(of, k, some))), 12);
      expect(found?.pass_hat_k[k]).toBeCloseTo(meanOf(attempts.map((of) => shareOfChoices(of, k, every))), 12);
    }
    const share = passed / judged;
    expect(found?.interval[0]).toBeCloseTo(boundOf(share, judged, 0), 9);
    expect(found?.interval[1]).toBeCloseTo(boundOf(share, judged, 1), 9);
  }
});
