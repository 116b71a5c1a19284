/** Plans of D1 queries. The queries of all tests in this folder are checked by `test/support/query-plans.ts`. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import worker from "../../../src/index.ts";
import { HANDLERS } from "../../../src/core/handover.ts";
import { logStore } from "../../../src/store/archive/bucket.ts";
import type { SessionFilter } from "../../../src/store/session-list.ts";
import { listChatbotSessions } from "../../../src/store/session-list.ts";
import { post } from "../../support/api.ts";
import { createSession } from "../../support/create.ts";
import { recordedQueries, stepsToAvoid } from "../../support/query-plans.ts";

it("shows a query that reads a table, sorts it, or makes an index of its own", async () => {
  expect(await stepsToAvoid("select * from sessions where description = ?")).toEqual(["SCAN sessions"]);
  expect(await stepsToAvoid("select content from messages m where content = 'a?' or content = ?1")).toEqual(["SCAN m"]);
  expect(await stepsToAvoid("select * from sessions where chatbot_id = ? order by title")).toEqual([
    "USE TEMP B-TREE FOR ORDER BY",
  ]);
  expect(await stepsToAvoid("select * from sessions where id = ?")).toEqual([]);
});

it("is recorded for the Worker, its objects and cron, and not for a test", async () => {
  const id = await createSession();
  await post(`/sessions/chat?sessionId=${id}`, { content: "a" });
  await worker.scheduled(createScheduledController(), env);
  await env.DB.prepare("select 'of a test'").all();
  const recorded = [...recordedQueries()].join("\n");
  for (const table of ["sessions", "chatbots", "messages", "tickets", "idempotency_keys", "session_uses"])
    expect(recorded).toMatch(new RegExp(`(?:from|into) "?${table}"?`, "i"));
  expect(recorded).not.toContain("of a test");
});

it("is good for the statements of triggers", async () => {
  const { results } = await env.DB.prepare("select name, sql from sqlite_schema where type = 'trigger'").all<{
    name: string;
    sql: string;
  }>();
  expect(results.length).toBeGreaterThan(5);
  for (const { name, sql } of results) {
    const [, condition = "true", body = ""] = /(?:WHEN (.*) )?BEGIN (.*;) END/s.exec(sql) ?? [];
    const statements = [`SELECT ${condition}`, ...body.split(";").filter((part) => part.trim() !== "")];
    for (const statement of statements) {
      const withParams = statement.replaceAll(/\b(?:new|old)\.`\w+`/g, "?");
      expect([name, await stepsToAvoid(withParams)]).toEqual([name, []]);
    }
  }
});

it("is good for lists of sessions, with all filters together, near and far", async () => {
  const filters = [null, "a", "ab", "abc"].flatMap((search) =>
    [null, "ACTIVE" as const].flatMap((status) =>
      [null, "c"].flatMap((chatbotId) =>
        [null, "d"].flatMap((clientId) =>
          [null, 1].flatMap((from) =>
            [null, ...HANDLERS].map((handler) => ({
              search,
              status,
              chatbotId,
              clientId,
              handler,
              clientMustExist: null,
              from,
              before: from,
            })),
          ),
        ),
      ),
    ),
  );
  expect(filters).toHaveLength(256);
  const store = logStore(env);
  for (const filter of filters)
    for (const skip of [0, 2_000]) await listChatbotSessions(store, filter, { limit: 10, skip });
  await listChatbotSessions(store, { ...filters[0], clientId: "d", clientMustExist: true } as SessionFilter, {
    limit: 1,
    skip: 0,
  });
});
