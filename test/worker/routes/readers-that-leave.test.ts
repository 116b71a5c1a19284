/** What is read for those who leave before a long answer has ended: the page that is being read, and no other. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { CallerLeft } from "../../../src/core/failure.ts";
import { SessionObject } from "../../../src/live/session-object.ts";
import { ADMIN_KEY, get, post } from "../../support/api.ts";
import { createClient, createComparison, createEndpoint, createSession } from "../../support/create.ts";
import { recordD1Answers } from "../../support/d1-answers.ts";
import { fillLog, writeLog } from "../../support/long-log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const LONG = "x".repeat(100_000);

const TURNS = 60;

/** Each page of messages looks for the session too. */
const QUERIES_OF_PAGE = 2;

/** Asks the app itself: the runtime would end the work for a caller that leaves, and nobody would see that the app ends it. */
function ask(path: string, { token = ADMIN_KEY, signal }: { token?: string; signal?: AbortSignal }) {
  const headers = { authorization: `Bearer ${token}` };
  const request = new Request(`http://parley.test${path}`, { headers, ...(signal ? { signal } : {}) });
  return app.fetch(request, env, createExecutionContext());
}

it("an export reads no message without a turn, and so nothing at all of a log without replies", async () => {
  const id = await createSession();
  await fillLog(id, 1, 60, "?4", LONG);
  const d1 = recordD1Answers();
  expect((await get(`/sessions/${id}/export`)).body).toBe("");
  expect(d1.reduce((sum, characters) => sum + characters, 0)).toBeLessThan(2 * LONG.length);
  vi.restoreAllMocks();
  await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: "in its object now" } });
  const page = vi.spyOn(SessionObject.prototype, "page");
  expect((await get(`/sessions/${id}/export`)).body).toBe("");
  // The second finds out whether the log is still there.
  expect(page).toHaveBeenCalledTimes(2);
});

/** The reader leaves after so many answers of D1: the session has been looked for, and a page of its log may have been read. */
const LEAVES_AFTER = 2;

describe("a reader whose signal says that it has left", () => {
  const ids = { chat: "", comparison: "" };

  beforeAll(async () => {
    const comparison = await createComparison([await createEndpoint()]);
    ids.chat = await createSession();
    ids.comparison = comparison.session_id;
    const logs = [
      { id: ids.chat, chatId: ids.chat },
      { id: ids.comparison, chatId: comparison.chat_ids[0] },
    ];
    for (const { id, chatId } of logs) {
      const replies = [{ chatId, content: LONG, reply: { preparedPrompt: LONG } }];
      await writeLog(
        id,
        Array.from({ length: TURNS }, () => ({ prompt: LONG, replies })),
      );
    }
  });

  /** @returns how an answer ended, and how many answers of D1 it took */
  async function readUntil(path: string, leaveAfter: number) {
    const caller = new AbortController();
    const answers = recordD1Answers((count) => count === leaveAfter && caller.abort());
    const read = async () => {
      const answer = await ask(path, { signal: caller.signal });
      await answer.text();
      return answer.status;
    };
    const end = await read().catch((error: unknown) => error);
    vi.restoreAllMocks();
    return { end, queries: answers.length };
  }

  it.each([
    ["statistics", () => `/sessions/${ids.chat}/stats`, 499],
    ["statistics on /v1", () => `/v1/sessions/${ids.comparison}/stats`, 499],
    ["an export", () => `/sessions/${ids.chat}/export`, expect.any(CallerLeft)],
    ["an export on /v1", () => `/v1/sessions/${ids.comparison}/export`, expect.any(CallerLeft)],
    ["a page of messages", () => `/sessions/${ids.chat}/messages?limit=1000`, expect.any(CallerLeft)],
  ])("of %s causes no further page to be read", async (_, path, end) => {
    const whole = await readUntil(path(), Infinity);
    expect(whole).toEqual({ end: 200, queries: expect.any(Number) });
    expect(whole.queries).toBeGreaterThan(LEAVES_AFTER + 4);
    const left = await readUntil(path(), LEAVES_AFTER);
    expect(left).toEqual({ end, queries: expect.any(Number) });
    // The page that is being read is read to its end.
    expect(left.queries).toBeLessThanOrEqual(LEAVES_AFTER + 1);
  });
});

it("a reader of messages that it may not see, so that nothing is sent, causes no further page to be read when it leaves", async () => {
  const clientId = await createClient();
  const id = await createSession({ clientId });
  await fillLog(id, 1, TURNS, "?4", LONG);
  await env.DB.prepare("UPDATE messages SET role = 'system' WHERE chat_id = ?").bind(id).run();
  const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  const path = `/sessions/${id}/messages?limit=1000`;
  const readWhole = async () => (await ask(path, { token })).text();
  const whole = recordD1Answers();
  await readWhole();
  vi.restoreAllMocks();

  const answer = await ask(path, { token });
  const reader = answer.body?.getReader();
  const answers: number[] = await new Promise((resolve) => {
    const recorded = recordD1Answers((count) => count === LEAVES_AFTER && resolve(recorded));
    void reader?.read().catch(() => undefined);
  });
  await reader?.cancel();
  // Pages are read in turn: a reader that has not left would have read on as far as this one.
  await readWhole();
  expect(answers.length).toBeLessThanOrEqual(LEAVES_AFTER + QUERIES_OF_PAGE + whole.length);
});
