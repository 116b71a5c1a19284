/** Runs and the bridge by the client, against a Worker in workerd. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ParleyClient, ParleyError } from "../../../src/client/index.ts";
import type { RunEvent } from "../../../src/client/index.ts";
import { CuttingProxy } from "../../support/cutting-proxy.node.ts";
import { buildBundle, startWorkerd } from "../../support/releases.node.ts";
import type { Workerd } from "../../support/releases.node.ts";

const ADMIN_KEY = "an-admin-key-for-runs-of-the-client";

let workerd: Workerd;
let parley: ParleyClient;

beforeAll(async () => {
  const bundle = await buildBundle();
  workerd = await startWorkerd(bundle, bundle, { ADMIN_KEY });
  parley = new ParleyClient({ url: workerd.url.origin, token: ADMIN_KEY });
  await parley.endpoints.create({ name: "echo", connector_type: "echo-connector" });
  await parley.endpoints.create({ name: "slow", connector_type: "echo-connector", params: { delay_ms: 400 } });
  await parley.endpoints.create({ name: "broken", connector_type: "echo-connector", params: { fail: 400 } });
});

afterAll(() => workerd.stop());

async function follow(client: ParleyClient, id: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of client.runs.follow(id)) events.push(event);
  return events;
}

it("a run is started, followed, read and deleted", async () => {
  const items = [
    { prompt: "Paris", expect: { contains: "Paris" } },
    { prompt: "Rome", expect: { contains: "Tokyo" } },
  ];
  const { run_id: id } = await parley.runs.create({ name: "Cities", endpoints: ["echo", "broken"], items });
  expect((await follow(parley, id)).slice(-2)).toEqual([
    { type: "run-progress", progress: { done: 4, of: 4, errors: 2 }, eta_seconds: null },
    { type: "run-ended", status: "completed" },
  ]);
  expect((await parley.runs.get(id)).results["echo"]).toMatchObject({ passed: 1, judged: 2 });
  expect((await parley.runs.list({ limit: 1 })).map(({ run_id }) => run_id)).toEqual([id]);
  const { results, total } = await parley.runs.results(id, { endpoint: "echo", pass: "true" });
  expect({ items: results.map(({ item_id }) => item_id), total }).toEqual({ items: ["1"], total: 1 });
  const exported = await (await parley.runs.export(id, { format: "jsonl" })).text();
  expect(exported.trim().split("\n")).toHaveLength(4);
  await parley.runs.retryErrors(id);
  expect((await follow(parley, id)).at(-1)).toEqual({ type: "run-ended", status: "completed" });
  await parley.runs.delete(id);
  await expect(parley.runs.get(id)).rejects.toMatchObject({ code: "not_found" });
});

it("a run goes on that was paused, and one that was cancelled", async () => {
  const items = Array.from({ length: 20 }, (_, number) => ({ prompt: `Number ${number}` }));
  const fields = { name: "Paused", endpoints: ["slow"], items, concurrency: 1 };
  const { run_id: id } = await parley.runs.create(fields);
  await parley.runs.pause(id);
  expect((await parley.runs.get(id)).status).toBe("paused");
  await parley.runs.cancel(id);
  expect(await follow(parley, id)).toContainEqual({ type: "run-ended", status: "cancelled" });
  await parley.runs.resume(id);
  expect((await parley.runs.get(id)).status).toBe("running");
  await parley.runs.delete(id);
});

it("a file is sent as it is, and a refusal names the line that is wrong", async () => {
  const fields = { name: "File", endpoints: ["echo", "slow"], repeat: 2 };
  const csv = { text: "prompt,tags\nParis,europe\n", contentType: "text/csv" } as const;
  expect(await parley.runs.createFrom(csv, fields)).toMatchObject({ repeat: 2, progress: { of: 4 } });
  const lines = { text: '{"prompt": "Paris"}\n{"prompt": 1}\n', contentType: "application/jsonl" } as const;
  const refused = await parley.runs.createFrom(lines, fields).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ParleyError);
  expect((refused as ParleyError).details[0]?.message).toMatch(/^Line 2: /);
});

it("a run is followed over connections that are cut, to its end", async () => {
  const items = Array.from({ length: 6 }, (_, number) => ({ prompt: `Number ${number}` }));
  const { run_id: id } = await parley.runs.create({ name: "Cut", endpoints: ["slow"], items, concurrency: 2 });
  const proxy = new CuttingProxy(workerd.url);
  const cut = new ParleyClient({ url: await proxy.start(), token: ADMIN_KEY });
  proxy.cutBehind("HTTP/1.1 2", "run-progress", "run-progress");
  const events = await follow(cut, id);
  proxy.stop();
  expect(proxy.cuts).toBe(3);
  expect(events.filter(({ type }) => type === "run-ended")).toEqual([{ type: "run-ended", status: "completed" }]);
});

it("a chat is put to another endpoint, and the better answer is adopted", async () => {
  const chatbotId = (await parley.chatbots.create({ name: "Echo", endpointId: "echo" })).id;
  const clientId = (await parley.clients.create({ name: "Ada" })).id;
  const { id } = await parley.sessions.create({ chatbotId, clientId });
  await parley.sessions.chat(id, { content: "Hello" });
  const comparison = await parley.comparisons.create({ name: "Bridge", endpoints: ["slow"], from_session: id });
  const { session_id: sessionId, chat_ids: chatIds } = comparison;
  const { records } = await parley.comparisons.replay(sessionId);
  expect(chatIds.map((chatId) => records[chatId]?.length)).toEqual([1, 1]);
  const seq = await parley.comparisons.adopt(sessionId, { chat_id: chatIds[1] ?? "", chat_record_id: 1 });
  expect((await parley.sessions.messages(id)).messages.at(-1)).toMatchObject({ seq, content: "Hello" });
});
