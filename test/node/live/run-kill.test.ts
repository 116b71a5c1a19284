/** Kills a started server while a run goes on. The run must end by itself, with every answer once. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKillableServer } from "../../support/killable-server.node.ts";
import type { KillableServer } from "../../support/killable-server.node.ts";

/** How often the server is killed. `KILLS=50 npm run test:run -- kill` runs longer. */
const KILLS = Number(process.env["KILLS"] ?? 2);

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

it("ends with every answer once, whenever the server is killed", async () => {
  // Long enough for all kills.
  for (const name of ["one", "two"])
    await server.call("POST", "/v1/llm_endpoints", {
      name,
      connector_type: "echo-connector",
      token: "",
      model: "",
      params: { delay_ms: 100 * KILLS },
    });
  const items = Array.from({ length: 40 }, (_, index) => ({ turns: [`a${index}`, `b${index}`] }));
  const body = { name: "Kill", endpoints: ["one", "two"], items, repeat: 2 };
  const { run_id: id } = (await server.call<RunAnswer>("POST", "/v1/runs", body)).run;
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + Math.random() * 1_000);
    await server.killAndStart();
  }
  let { run } = await server.call<RunAnswer>("GET", `/v1/runs/${id}`);
  while (run.status === "running") {
    await sleep(200);
    ({ run } = await server.call<RunAnswer>("GET", `/v1/runs/${id}`));
  }
  const of = items.length * 2 * 2 * 2;
  expect(run).toMatchObject({ status: "completed", progress: { done: of, of, errors: 0 } });
  const { results, total } = await server.call<Results>("GET", `/v1/runs/${id}/results?limit=1000&status=ok`);
  const places = results.map(({ item_id: item, repetition, turn, endpoint }) =>
    [item, repetition, turn, endpoint].join(),
  );
  expect([total, new Set(places).size]).toEqual([of, of]);
});
