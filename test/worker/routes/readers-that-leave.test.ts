/** What is read for those who leave in the middle of a long answer: the page that is being read, and no other. */
import { env, exports } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { SessionObject } from "../../../src/live/session-object.ts";
import { ADMIN_KEY, get, post } from "../../support/api.ts";
import { createClient, createSession } from "../../support/create.ts";
import { recordD1Answers } from "../../support/d1-answers.ts";
import { fillLog } from "../../support/long-log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const READERS = 30;
const LONG = "x".repeat(100_000);

/** So many pages are read at once in an isolate. */
const PAGES_AT_ONCE = 2;

/** Each page also looks for the session, or for its archive. */
const QUERIES_OF_PAGE = 3;

/** Begins to read an answer, and leaves. */
async function readAndLeave(path: string, token = ADMIN_KEY): Promise<void> {
  const answer = await exports.default.fetch(`http://parley.test${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const reader = answer.body?.getReader();
  void reader?.read().catch(() => undefined);
  await scheduler.wait(5);
  await reader?.cancel();
}

/** @returns how many queries D1 answers after all have left */
async function queriesAfterLeaving(path: string, token?: string): Promise<number> {
  const d1 = recordD1Answers();
  await Promise.all(Array.from({ length: READERS }, () => readAndLeave(path, token)));
  const atLeaving = d1.length;
  await scheduler.wait(500);
  return d1.length - atLeaving;
}

it("thirty readers of messages that they may not see, so that nothing is sent, cause no more queries when they leave", async () => {
  const clientId = await createClient();
  const id = await createSession({ clientId });
  await fillLog(id, 1, 60, "?4", LONG);
  await env.DB.prepare("UPDATE messages SET role = 'system' WHERE chat_id = ?").bind(id).run();
  const { key: token } = (await post("/keys", { name: "app", role: "client", clientId })).body.data;
  const path = `/sessions/${id}/messages?limit=1000`;
  expect(await queriesAfterLeaving(path, token)).toBeLessThanOrEqual(PAGES_AT_ONCE * QUERIES_OF_PAGE);
});

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
