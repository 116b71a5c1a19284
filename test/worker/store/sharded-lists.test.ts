/** Lists over several databases are the lists over one: the same sessions in the same order on each page, and the same totals. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { newObjectId } from "../../../src/core/id.ts";
import { BOT_HANDLING, HANDLERS } from "../../../src/core/handover.ts";
import type { Handler } from "../../../src/core/handover.ts";
import type { Session } from "../../../src/core/session.ts";
import { foldText } from "../../../src/core/fold.ts";
import { database } from "../../../src/store/database.ts";
import type { Database } from "../../../src/store/database.ts";
import { insertMessages } from "../../../src/store/message-rows.ts";
import type { SessionFilter } from "../../../src/store/session-list.ts";
import { aChatSession } from "../../support/session-world.ts";
import { overMany, overOne, shardOf } from "../../support/sharded-lists.ts";

const SHARDS = [env.SHARD_0, env.SHARD_1, env.SHARD_2, env.SHARD_3];
const START = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  for (const binding of SHARDS) await applyD1Migrations(binding, env.MIGRATIONS);
});

/** What differs between random sessions. */
interface Given {
  /** Milliseconds since the session before: often 0, so that order within a millisecond counts. */
  pause: number;
  kind: Session["kind"];
  title: string;
  status: Session["status"];
  chatbotId: string;
  clientId: string;
  handler: Handler;
  /** Milliseconds from creation until a person was asked for. */
  wait: number;
  messages: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  pause: fc.constantFrom(0, 0, 1, 1_000),
  kind: fc.constantFrom("chatbot", "chatbot", "chatbot", "comparison"),
  title: fc.string({ unit: fc.constantFrom("a", "b", "É", "*"), minLength: 1, maxLength: 6 }),
  status: fc.constantFrom("ACTIVE", "COMPLETED"),
  chatbotId: fc.constantFrom("bot 1", "bot 2"),
  clientId: fc.constantFrom("client 1", "client 2", "client 3"),
  handler: fc.constantFrom(...HANDLERS),
  wait: fc.constantFrom(0, 1, 5_000),
  messages: fc.integer({ min: 0, max: 3 }),
});

const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 2 });
const time = fc.integer({ min: 0, max: 12_000 }).map((after) => START + after);

const filter: fc.Arbitrary<SessionFilter> = fc.record({
  search: orNull(fc.string({ unit: fc.constantFrom("a", "b", "é", "*"), minLength: 1, maxLength: 4 })),
  status: orNull(fc.constantFrom("ACTIVE", "COMPLETED")),
  handler: orNull(fc.constantFrom(...HANDLERS)),
  chatbotId: orNull(fc.constantFrom("bot 1", "bot 2")),
  clientId: orNull(fc.constantFrom("client 1", "client 2")),
  clientMustExist: fc.constantFrom(null),
  from: orNull(time),
  before: orNull(time),
});

const query = fc.record({ filter, limit: fc.integer({ min: 1, max: 12 }), skip: fc.integer({ min: 0, max: 30 }) });

function sessionsOf(all: Given[]): (Session & { messages: number })[] {
  let at = START;
  return all.map(({ pause, kind, chatbotId, clientId, handler, wait, ...rest }) => {
    at += pause;
    const id = newObjectId(at);
    const references = kind === "chatbot" ? { chatbotId, clientId } : { chatbotId: null, clientId: null };
    const isBots = kind === "comparison" || handler === "bot";
    return {
      ...aChatSession({ id, kind, chats: [], createdAt: at, updatedAt: at, startTime: at }),
      ...references,
      ...rest,
      ...(isBots ? BOT_HANDLING : { handler, handlerSince: at + wait }),
    };
  });
}

const empty = (db: Database) => db.$client.exec("delete from messages; delete from sessions");

/** Adds sessions, with their messages. */
async function fill(db: Database, all: (Session & { messages: number })[]): Promise<void> {
  const insert = db.$client.prepare(
    `insert into sessions (id, kind, title, title_folded, status, start_time, chatbot_id, client_id, chats, created_at, updated_at,
       last_seq, metadata_version, message_count, handler, handler_since)
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '[]', ?6, ?6, 0, 0, 0, ?9, ?10)`,
  );
  const statements = all.flatMap(({ id, kind, title, status, createdAt, messages, ...session }) => [
    insert.bind(
      id,
      kind,
      title,
      foldText(title ?? ""),
      status,
      createdAt,
      session.chatbotId,
      session.clientId,
      session.handler,
      session.handlerSince,
    ),
    ...insertMessages(
      db,
      id,
      Array.from({ length: messages }, (_, nth) => message(id, nth + 1, createdAt)),
      createdAt,
    ),
  ]);
  if (statements.length > 0) await db.$client.batch(statements);
}

const message = (chatId: string, seq: number, createdAt: number) =>
  ({ seq, chatId, turnId: null, turnNumber: null, role: "user", content: `${seq}`, createdAt, reply: null }) as const;

it("over any sessions, filters, pages and number of databases", async () => {
  const one = database(env.DB);
  await fc.assert(
    fc.asyncProperty(
      fc.array(given, { maxLength: 40 }),
      fc.integer({ min: 1, max: SHARDS.length }),
      fc.array(query, { minLength: 4, maxLength: 8 }),
      async (all, count, queries) => {
        const sessions = sessionsOf(all);
        const shards = SHARDS.slice(0, count).map(database);
        await Promise.all([one, ...shards].map(empty));
        await fill(one, sessions);
        await Promise.all(
          shards.map((shard, nth) =>
            fill(
              shard,
              sessions.filter(({ id }) => shardOf(id, count) === nth),
            ),
          ),
        );
        const [single, sharded] = [overOne(one), overMany(shards)];
        for (const { filter: wanted, ...page } of queries) {
          const expected = await single.chatbotSessions(wanted, page);
          expect(await sharded.chatbotSessions(wanted, page)).toEqual(expected);
          expect(expected.total).toBe(sessions.filter((session) => matches(session, wanted)).length);
          expect(await sharded.comparisons(page)).toEqual(await single.comparisons(page));
        }
      },
    ),
    { numRuns: 30 },
  );
});

/** The filters once more, in plain code. */
function matches(session: Session, { search, from, before, ...equal }: SessionFilter): boolean {
  const { status, handler, chatbotId, clientId } = equal;
  const isEqual = Object.entries({ status, handler, chatbotId, clientId }).every(
    ([name, value]) => value === null || Reflect.get(session, name) === value,
  );
  const isFound = search === null || foldText(session.title ?? "").includes(foldText(search));
  const isInTime = session.createdAt >= (from ?? 0) && session.createdAt < (before ?? Infinity);
  return session.kind === "chatbot" && isEqual && isFound && isInTime;
}

it("far down a list, which is walked from its nearer end", async () => {
  const many = Array.from({ length: 2_600 }, (_, nth): Given => ({
    pause: nth % 3,
    kind: nth % 13 === 0 ? "comparison" : "chatbot",
    title: "a",
    status: nth % 2 === 0 ? "ACTIVE" : "COMPLETED",
    chatbotId: nth % 5 === 0 ? "bot 1" : "bot 2",
    clientId: "client 1",
    handler: "bot",
    wait: 0,
    messages: 0,
  }));
  const sessions = sessionsOf(many);
  const [one, none] = [
    database(env.DB),
    { search: null, handler: null, clientId: null, clientMustExist: null, from: null, before: null },
  ];
  await empty(one);
  for (let start = 0; start < sessions.length; start += 500) await fill(one, sessions.slice(start, start + 500));
  const lists = overOne(one);
  for (const status of [null, "ACTIVE"] as const)
    for (const chatbotId of [null, "bot 2"]) {
      const wanted: SessionFilter = { ...none, status, chatbotId };
      const found = sessions.filter((session) => matches(session, wanted)).toReversed();
      const { length } = found;
      const ends = [
        999,
        1_000,
        1_001,
        length / 2,
        length - 11,
        length - 10,
        length - 9,
        length - 1,
        length,
        length + 500,
      ];
      for (const skip of ends.map(Math.floor).filter((from) => from >= 0)) {
        const { results, total } = await lists.chatbotSessions(wanted, { limit: 10, skip });
        expect(total).toBe(length);
        expect(results.map(({ session }) => session.id)).toEqual(found.slice(skip, skip + 10).map(({ id }) => id));
      }
    }
});
