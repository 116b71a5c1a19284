/**
 * Rows that calls read and write in D1 and in the session's object, as Cloudflare counts and bills them, against the table of the guide
 * on capacity: no call takes more than that, and the table claims no more than twice what it takes.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import guide from "../../../src/docs/capacity.md?raw";
import { call, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createComparison, createEndpoint, createSession } from "../../support/create.ts";

/** D1 read, D1 written, object read, object written. */
type Rows = [number, number, number, number];

const documented = new Map(
  Array.from(guide.matchAll(/^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm), ([, name = "", ...rows]) => [
    name,
    rows.map(Number),
  ]),
);

let inD1 = [0, 0] as [read: number, written: number];
const cursors: SqlStorageCursor<never>[] = [];

const counted = <T extends D1Result>(result: T): T => {
  inD1 = [inD1[0] + result.meta.rows_read, inD1[1] + result.meta.rows_written];
  return result;
};

function countD1(): void {
  type Statement = Record<"all" | "run" | "raw", (this: Statement) => Promise<D1Result>> & { statement: string };
  const statement = Object.getPrototypeOf(env.DB.prepare("select 1")) as Statement;
  const { all, run, raw } = statement;
  statement.all = async function () {
    return counted(await all.call(this));
  };
  statement.run = async function () {
    return counted(await run.call(this));
  };
  // It answers rows alone, so the query runs twice.
  statement.raw = async function () {
    if (!/^\s*select/i.test(this.statement)) throw new Error(`Runs once only: ${this.statement}`);
    counted(await all.call(this));
    return raw.call(this);
  };
  // The batch of a binding is one of a session too.
  type Batches = { batch: (this: Batches, statements: D1PreparedStatement[]) => Promise<D1Result[]> };
  const session = Object.getPrototypeOf(env.DB.withSession()) as Batches;
  const { batch } = session;
  session.batch = async function (statements) {
    return (await batch.call(this, statements)).map(counted);
  };
}

/** Counts what all objects read and write. @param id any session */
const countObjects = (id: string) =>
  runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) => {
    type Executes = { exec: (this: Executes, query: string, ...values: unknown[]) => SqlStorageCursor<never> };
    const sql = Object.getPrototypeOf(storage.sql) as Executes;
    const { exec } = sql;
    sql.exec = function (...given) {
      const cursor = exec.apply(this, given);
      cursors.push(cursor);
      return cursor;
    };
  });

/** How long a use of a session counts as one, in milliseconds: the first in it writes a row more. */
const USE_MS = 600_000;

const clock = Date.now.bind(Date);
// The calls fall into one such time, whenever the test runs.
let ahead = USE_MS - (clock() % USE_MS);

/** The rows of a call in an isolate that has not read its records lately. */
async function rowsOf(action: () => Promise<unknown>): Promise<Rows> {
  await untilQuiet();
  ahead += 11_000;
  inD1 = [0, 0];
  cursors.length = 0;
  await action();
  await untilQuiet();
  const sum = (of: "rowsRead" | "rowsWritten") => cursors.reduce((total, cursor) => total + cursor[of], 0);
  return [...inD1, sum("rowsRead"), sum("rowsWritten")];
}

async function untilQuiet(): Promise<void> {
  for (let last = ""; last !== `${inD1.join()} ${cursors.length}`; await scheduler.wait(500))
    last = `${inD1.join()} ${cursors.length}`;
}

it("is at most what the guide says", async () => {
  const [chatbotId, clientId] = [await createChatbot(), await createClient()];
  const endpoints = [await createEndpoint(), await createEndpoint(), await createEndpoint()];
  vi.spyOn(Date, "now").mockImplementation(() => clock() + ahead);
  countD1();
  await countObjects(await createSession({ chatbotId, clientId }));
  const { key } = (await post("/keys", { name: "k", role: "service" })).body.data;
  let [id, comparison] = ["", ""];
  const chat = (options = {}) =>
    call("POST", `/sessions/chat?sessionId=${id}`, { content: "Where is my parcel?" }, options);
  const append = () => post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "a" } });
  const prompt = () => post(`/v1/sessions/${comparison}/prompt`, { prompt: "Which is larger, 9.9 or 9.11?" });
  const steps: [string, () => Promise<unknown>][] = [
    ["create a session", async () => (id = await createSession({ chatbotId, clientId, title: "Where is my parcel?" }))],
    ["first chat of a session", () => chat()],
    ["chat", () => chat()],
    ["chat with an API key", () => chat({ token: key })],
    ["append", append],
    ["get a session in use", () => get(`/sessions/${id}`)],
    ["list of 10 sessions", () => get("/sessions")],
    ["end a session", () => post(`/sessions/${id}/end`)],
    ["create a comparison of 3", async () => (comparison = (await createComparison(endpoints)).session_id)],
    ["first prompt of a comparison", prompt],
    ["prompt to 3 endpoints", prompt],
  ];
  expect([...documented.keys()]).toEqual(steps.map(([name]) => name));
  const faults: unknown[] = [];
  for (const [name, step] of steps) {
    const rows = await rowsOf(step);
    const claimed = documented.get(name) ?? [];
    if (rows.some((count, at) => count > (claimed[at] ?? 0) || (claimed[at] ?? 0) > 2 * count + 2))
      faults.push([name, rows]);
  }
  expect(faults, "Change the table in src/docs/capacity.md").toEqual([]);
});
