/** Kills a started server while a conversation is put to many endpoints. Called again, each turn must have one record for each chat. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startKillableServer } from "../../support/killable-server.node.ts";
import type { KillableServer } from "../../support/killable-server.node.ts";

/** How often the server is killed. `KILLS=60 npm run test:run -- replay-kill` runs longer. */
const KILLS = Number(process.env["KILLS"] ?? 2);

/** Of each replay. */
const KILLS_OF_REPLAY = 3;

const [TURNS, ENDPOINTS] = [20, 8];
let server: KillableServer;

beforeAll(async () => {
  server = await startKillableServer();
}, 120_000);

afterAll(() => server.stop());

interface ShownRecord {
  chat_record_id: number;
  prompt: string;
  predicted_result: string;
  status: string;
}

const prompts = Array.from({ length: TURNS }, (_, nth) => `Question ${nth}: does anybody answer?`);

/** @returns the id of a chat session with all turns */
async function createChat(): Promise<string> {
  const parley = server.parley();
  for (let nth = 0; nth < ENDPOINTS; nth += 1) {
    const params = { delay_ms: 20 + 20 * nth, pre_prompt: `${nth}: ` };
    await parley.endpoints.create({ name: `endpoint ${nth}`, connector_type: "echo-connector", params });
  }
  const { id: chatbotId } = await parley.chatbots.create({ name: "Bot", endpointId: "endpoint-0" });
  const { id: clientId } = await parley.clients.create({ name: "Ada" });
  const { id } = await parley.sessions.create({ chatbotId, clientId, title: "replayed" });
  for (const content of prompts) {
    for (const message of [
      { role: "user", content },
      { role: "assistant", content: `Recorded: ${content}` },
    ])
      await server.call("POST", `/sessions/message?sessionId=${id}`, { message });
  }
  return id;
}

async function createBridge(from: string): Promise<string> {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, nth) => `endpoint-${nth}`);
  const body = { name: "Bridge", endpoints, from_session: from };
  return (await server.call<{ session: { session_id: string } }>("POST", "/v1/sessions", body)).session.session_id;
}

/** Starts the replay, and kills the server after some time. */
async function killDuring(id: string): Promise<number> {
  const replay = server.call("POST", `/v1/sessions/${id}/replay`, {}).catch(() => undefined);
  const after = Math.random() * 1_500;
  await sleep(after);
  await server.killAndStart(replay);
  return after;
}

async function audit(id: string): Promise<void> {
  const history = await server.call<Record<string, ShownRecord[]>>("POST", `/v1/sessions/${id}/replay`, {});
  expect(Object.keys(history)).toHaveLength(ENDPOINTS + 1);
  for (const [nth, [chatId, records]] of Object.entries(history).entries()) {
    expect(records.map(({ chat_record_id: number }) => number)).toEqual(prompts.map((_, index) => index + 1));
    expect(records.map(({ prompt }) => prompt)).toEqual(prompts);
    expect(records.map(({ status }) => status)).toEqual(prompts.map(() => "ok"));
    const sign = chatId === "recorded" ? "Recorded: " : `${nth - 1}: `;
    expect(records.map(({ predicted_result: text }) => text)).toEqual(prompts.map((one) => sign + one));
  }
}

it(
  `leaves one record for each chat and turn when it is killed ${KILLS} times`,
  async () => {
    const from = await createChat();
    for (let kills = 0; kills < KILLS;) {
      const id = await createBridge(from);
      const times: number[] = [];
      for (; times.length < KILLS_OF_REPLAY && kills < KILLS; kills += 1) times.push(Math.round(await killDuring(id)));
      await audit(id).catch((error: unknown) => {
        throw new Error(`Killed after ${times.join(", ")} ms`, { cause: error });
      });
    }
  },
  90_000 + KILLS * 20_000,
);
