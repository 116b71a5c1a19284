/** Kills a started server while a run goes on. The run must end by itself, with every answer once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKillableServer } from "../../support/killable-server.node.ts";
import type { KillableServer } from "../../support/killable-server.node.ts";

/** How often the server is killed, and of how many items the run is. `KILLS=3 ITEMS=500 npm run test:run -- run-kill` has 12,000 answers. */
const KILLS = Number(process.env["KILLS"] ?? 2);
const ITEMS = Number(process.env["ITEMS"] ?? 30);

const ENDPOINTS = ["one", "two", "three", "four"];
const REPEAT = 3;

/** Long enough for all kills, and for slow machines. */
const TIMEOUT_MS = 120_000 + ITEMS * 2_000;

let server: KillableServer;

beforeAll(async () => {
  server = await startKillableServer();
}, 120_000);

afterAll(() => server.stop());

interface RunAnswer {
  run: { run_id: string; status: string; progress: { done: number; of: number; errors: number } };
}

interface Results {
  results: { item_id: string; repetition: number; turn: number; endpoint: string; status: string }[];
  total: number;
}

it("ends with every answer once, whenever the server is killed", { timeout: TIMEOUT_MS }, async () => {
  for (const name of ENDPOINTS)
    await server.call("POST", "/v1/llm_endpoints", {
      name,
      connector_type: "echo-connector",
      token: "",
      model: "",
      params: { delay_ms: 100 * KILLS },
    });
  const items = Array.from({ length: ITEMS }, (_, index) => ({ turns: [`a${index}`, `b${index}`] }));
  const body = { name: "Kill", endpoints: ENDPOINTS, items, repeat: REPEAT };
  const { run_id: id } = (await server.call<RunAnswer>("POST", "/v1/runs", body)).run;
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + Math.random() * 30 * ITEMS);
    await server.killAndStart();
  }
  let { run } = await server.call<RunAnswer>("GET", `/v1/runs/${id}`);
  while (run.status === "running") {
    await sleep(200);
    ({ run } = await server.call<RunAnswer>("GET", `/v1/runs/${id}`));
  }
  const of = ITEMS * 2 * ENDPOINTS.length * REPEAT;
  expect(run).toMatchObject({ status: "completed", progress: { done: of, of, errors: 0 } });
  const places = new Set<string>();
  for (let skip = 0; skip < of; skip += 1_000) {
    const page = await server.call<Results>("GET", `/v1/runs/${id}/results?limit=1000&skip=${skip}&status=ok`);
    expect(page.total).toBe(of);
    for (const { item_id: item, repetition, turn, endpoint } of page.results)
      places.add([item, repetition, turn, endpoint].join());
  }
  expect(places.size).toBe(of);
});
