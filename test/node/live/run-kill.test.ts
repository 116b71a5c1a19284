/** Kills a started server while a run goes on. The run must end by itself, with every answer once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { cleanUpAtExit } from "../../bench/processes.ts";
import { migrate, serve } from "../../bench/wrangler.ts";
import type { Server } from "../../bench/wrangler.ts";

/** How often the server is killed. `KILLS=50 npm run test:run -- kill` runs longer. */
const KILLS = Number(process.env["KILLS"] ?? 2);

const ADMIN_KEY = "kill-admin-key-0123456789abcdef01";
const state = mkdtempSync(join(tmpdir(), "parley-run-kill-"));
const setup = { config: "wrangler.toml", state, vars: { ADMIN_KEY, RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1" } };
let server: Server | null = null;

cleanUpAtExit();

afterAll(async () => {
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${server?.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface RunAnswer {
  run: { run_id: string; status: string; progress: { done: number; of: number; errors: number } };
}

interface Results {
  results: { item_id: string; repetition: number; turn: number; endpoint: string; status: string }[];
  total: number;
}

it("ends with every answer once, whenever the server is killed", async () => {
  await migrate(setup);
  server = await serve(setup);
  // Long enough for all kills.
  for (const name of ["one", "two"])
    await call("POST", "/v1/llm_endpoints", {
      name,
      connector_type: "echo-connector",
      token: "",
      model: "",
      params: { delay_ms: 100 * KILLS },
    });
  const items = Array.from({ length: 40 }, (_, index) => ({ turns: [`a${index}`, `b${index}`] }));
  const body = { name: "Kill", endpoints: ["one", "two"], items, repeat: 2 };
  const { run_id: id } = (await call<RunAnswer>("POST", "/v1/runs", body)).run;
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300 + Math.random() * 1_000);
    await server.kill();
    server = await serve(setup);
  }
  let { run } = await call<RunAnswer>("GET", `/v1/runs/${id}`);
  while (run.status === "running") {
    await sleep(200);
    ({ run } = await call<RunAnswer>("GET", `/v1/runs/${id}`));
  }
  const of = items.length * 2 * 2 * 2;
  expect(run).toMatchObject({ status: "completed", progress: { done: of, of, errors: 0 } });
  const { results, total } = await call<Results>("GET", `/v1/runs/${id}/results?limit=1000&status=ok`);
  const places = results.map(({ item_id: item, repetition, turn, endpoint }) =>
    [item, repetition, turn, endpoint].join(),
  );
  expect([total, new Set(places).size]).toEqual([of, of]);
});
