/** Texts that older code folded by other rules: the cron job folds them again, and then search finds them. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/index.ts";
import { database } from "../../../src/store/database.ts";
import { refoldTexts } from "../../../src/store/refold.ts";
import { isFoldedByOlderRules } from "../../../src/store/tables.ts";
import { get, put } from "../../support/api.ts";
import { createChatbot, createClient, createSession, unique } from "../../support/create.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const TABLES = { sessions: "title", chatbots: "name", clients: "name" } as const;
type Table = keyof typeof TABLES;

/** Letter by letter, as before texts were normalized. */
const foldedBefore = (text: string) => Array.from(text, (letter) => letter.toUpperCase().toLowerCase()).join("");

/** Makes a row as older code would have left it. */
async function makeOld(table: Table, id: string, text: string): Promise<void> {
  const set = `${TABLES[table]} = ?1, ${TABLES[table]}_folded = ?2, fold_version = 1`;
  await env.DB.prepare(`update ${table} set ${set} where id = ?3`).bind(text, foldedBefore(text), id).run();
}

const rowOf = (table: Table, id: string) =>
  env.DB.prepare(`select * from ${table} where id = ?`).bind(id).first<Record<string, unknown>>();

const pass = () => worker.scheduled(createScheduledController(), env);

const total = async (path: string, text: string, filter = "") =>
  (await get(`/${path}?searchString=${encodeURIComponent(text)}${filter}`)).body.data.paginatorInfo.total;

/** @returns how many rows the index of unfinished rows still has */
async function left(table: Table): Promise<number> {
  const condition = isFoldedByOlderRules(TABLES[table]);
  const query = `select count(*) as total from ${table} indexed by ${table}_to_refold where ${condition}`;
  return (await env.DB.prepare(query).first<number>("total")) ?? -1;
}

/** Fails if a full-text index does not match its table. Comparison sessions are not in the index: create none here. */
const checkIndex = () =>
  env.DB.prepare("insert into session_titles (session_titles, rank) values ('integrity-check', 1)").run();

describe("rows that were folded by older rules", () => {
  it("are found in every form after the cron job, and nothing else of them changes", async () => {
    const name = unique("Św\u0129t ＡＢＣ").normalize("NFD");
    const wanted = name.normalize("NFKC").toUpperCase();
    const ids = {
      chatbots: await createChatbot(),
      clients: await createClient(),
      sessions: await createSession(),
    };
    const clientId = await createClient();
    const ofClient = await createSession({ clientId });
    for (const table of Object.keys(ids) as Table[]) await makeOld(table, ids[table], name);
    await makeOld("sessions", ofClient, name);
    const before = await rowOf("sessions", ids.sessions);
    expect(await total("sessions", wanted)).toBe(0);

    await pass();

    expect(await total("chatbots", wanted)).toBe(1);
    expect(await total("clients", wanted)).toBe(1);
    expect(await total("sessions", wanted)).toBe(2);
    expect(await total("sessions", wanted, `&clientId=${clientId}`)).toBe(1);
    expect(await rowOf("sessions", ids.sessions)).toEqual({
      ...before,
      title_folded: wanted.toLowerCase(),
      fold_version: 2,
    });
    for (const table of Object.keys(ids) as Table[]) expect(await left(table)).toBe(0);
    await checkIndex();
  });

  it("are not visited again, and neither are new rows, ASCII rows, and rows without a title", async () => {
    const id = await createSession();
    await createSession({ title: "Łódź" });
    await makeOld("sessions", id, "plain ASCII");
    await pass();
    expect(await refoldTexts(database(env.DB))).toEqual({ chatbots: 0, clients: 0, sessions: 0 });
    expect(await rowOf("sessions", id)).toMatchObject({ title_folded: "plain ascii", fold_version: 1 });
  });

  it("are folded in limited portions, and the rest in the next run", async () => {
    const from = await createSession({ title: "model" });
    // A letter and its accent, which are two characters until they are composed.
    const copies = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000)
      insert into sessions (id, kind, title, title_folded, status, start_time, chatbot_id, client_id, chats, created_at, updated_at, last_seq, metadata_version, message_count)
      select printf('%024x', i), kind, ?1 || i, ?1 || i, status, start_time, chatbot_id, client_id, chats, created_at, updated_at, last_seq, metadata_version, message_count
      from sessions, n where id = ?2`;
    await env.DB.prepare(copies).bind("e\u0301", from).run();
    expect(await left("sessions")).toBe(8000);
    expect((await refoldTexts(database(env.DB))).sessions).toBe(7000);
    expect(await left("sessions")).toBe(1000);
    expect((await refoldTexts(database(env.DB))).sessions).toBe(1000);
    expect(await total("sessions", "\u00e98000")).toBe(1);
    await checkIndex();
  });

  it("are folded whatever they contain, as many per statement as fit", async () => {
    const ids = await Promise.all(Array.from({ length: 150 }, () => createClient()));
    // NFKC makes eighteen characters of this one.
    for (const id of ids) await makeOld("clients", id, "\ufdfa".repeat(200));
    const odd = await createSession();
    await makeOld("sessions", odd, `nul\0 "quoted" \\u00e9 e\u0301 ${"\u{1f600}"}`);
    const run = vi.spyOn(env.DB, "prepare");
    expect(await refoldTexts(database(env.DB))).toMatchObject({ clients: 150, sessions: 1 });
    expect(run.mock.calls.filter(([query]) => query.startsWith("UPDATE clients")).length).toBe(2);
    expect((await rowOf("clients", ids[149] ?? ""))?.["name_folded"]).toHaveLength(3600);
    expect((await rowOf("sessions", odd))?.["title_folded"]).toBe(`nul\ufffd "quoted" \\u00e9 \u00e9 ${"\u{1f600}"}`);
  });

  it("keep a title that changes while they are folded", async () => {
    const id = await createSession();
    await makeOld("sessions", id, "e\u0301 before");
    const prepare = env.DB.prepare.bind(env.DB);
    vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      const statement = prepare(query);
      if (!query.startsWith("UPDATE sessions SET title_folded")) return statement;
      return {
        bind: (...values: unknown[]) => ({
          async run() {
            await put(`/sessions/${id}`, { title: "E\u0301 after" });
            return statement.bind(...values).run();
          },
        }),
      } as unknown as D1PreparedStatement;
    });
    await refoldTexts(database(env.DB));
    expect(await rowOf("sessions", id)).toMatchObject({ title: "E\u0301 after", title_folded: "\u00e9 after" });
    await checkIndex();
  });

  it("are folded again when older code writes them again", async () => {
    const title = unique("e\u0301");
    const id = await createSession({ title });
    // What an object that still runs older code writes.
    const write = "update sessions set title = ?1, title_folded = ?2, status = 'COMPLETED' where id = ?3";
    await env.DB.prepare(write).bind(title, foldedBefore(title), id).run();
    expect(await total("sessions", title)).toBe(0);
    await pass();
    expect(await total("sessions", title)).toBe(1);
  });
});
