/** The list of sessions: pages, filters and search. */
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { database } from "../../../src/store/database.ts";
import { searchPair } from "../../../src/store/title-search.ts";
import { get, post, put } from "../../support/api.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";

interface Listed {
  messages: object[];
  messageCount: number;
  chatbotId: { systemPrompt?: string };
}

const titles = (body: { data: { results: { title: string }[] } }) => body.data.results.map(({ title }) => title);

/** Sessions of a new client, oldest first. */
async function sessionsOf(count: number, fields: (index: number) => Record<string, unknown> = () => ({})) {
  const [chatbotId, clientId] = [await createChatbot(), await createClient()];
  const ids: string[] = [];
  for (let index = 0; index < count; index++)
    ids.push(await createSession({ chatbotId, clientId, title: `number ${index}`, ...fields(index) }));
  return { ids, chatbotId, clientId };
}

/** For so many that creating them would take long. */
async function insertSessions(named: string[]): Promise<void> {
  const query = `INSERT INTO sessions (id, kind, title, title_folded, status, start_time, chatbot_id, client_id, chats,
      created_at, updated_at, last_seq, metadata_version, message_count)
    SELECT printf('%024x', key), 'chatbot', value, value, 'ACTIVE', ?1, ?2, ?3, '[]', ?1 + key, ?1, 0, 0, 0
    FROM json_each(?4)`;
  const records = [await createChatbot(), await createClient()];
  await env.DB.prepare(query)
    .bind(Date.now(), ...records, JSON.stringify(named))
    .run();
}

describe("a page of sessions", () => {
  it("has the newest first, with the paginator's totals", async () => {
    const { clientId } = await sessionsOf(5);
    const { status, body } = await get(`/sessions?clientId=${clientId}&limit=2&skip=2`);
    expect(status).toBe(200);
    expect(titles(body)).toEqual(["number 2", "number 1"]);
    expect(body.data.paginatorInfo).toEqual({
      count: 2,
      currentPage: 2,
      hasMorePages: true,
      lastPage: 3,
      limit: 2,
      perPage: 2,
      total: 5,
    });
    const past = await get(`/sessions?clientId=${clientId}&limit=2&skip=9`);
    expect(past.body.data).toMatchObject({
      results: [],
      paginatorInfo: { count: 0, currentPage: 5, hasMorePages: false, lastPage: 3, total: 5 },
    });
  });

  it("has ten sessions by default, and an empty list has one page", async () => {
    const { body } = await get(`/sessions?clientId=ffffffffffffffffffffffff`);
    expect(body.data).toEqual({
      results: [],
      paginatorInfo: { count: 0, currentPage: 1, hasMorePages: false, lastPage: 1, limit: 10, perPage: 10, total: 0 },
    });
  });

  it("has chatbot and client of each session, and its number of messages", async () => {
    const { ids, chatbotId, clientId } = await sessionsOf(1);
    for (const content of ["one", "two"])
      await post(`/sessions/message?sessionId=${ids[0]}`, { message: { role: "user", content } });
    const { body } = await get(`/sessions?clientId=${clientId}`);
    expect(body.data.results[0]).toMatchObject({
      chatbotId: { id: chatbotId },
      clientId: { id: clientId },
      messages: [{ content: "one" }, { content: "two" }],
      messageCount: 2,
    });
  });

  it("has the newest 100 messages of a session at most", async () => {
    const { ids, clientId } = await sessionsOf(1);
    for (let n = 1; n <= 103; n++)
      await post(`/sessions/message?sessionId=${ids[0]}`, { message: { role: "user", content: `m${n}` } });
    const [result] = (await get(`/sessions?clientId=${clientId}`)).body.data.results;
    expect([
      result.messages.length,
      result.messages[0].content,
      result.messages[99].content,
      result.messageCount,
    ]).toEqual([100, "m4", "m103", 103]);
  });

  it("has fewer messages when they are huge", async () => {
    const { ids, clientId } = await sessionsOf(1);
    const content = "x".repeat(100_000);
    for (let n = 0; n < 85; n++)
      await post(
        `/sessions/message?sessionId=${ids[0]}`,
        { message: { role: "user", content } },
        { headers: { prefer: "return=minimal" } },
      );
    const [result] = (await get(`/sessions?clientId=${clientId}`)).body.data.results;
    expect([result.messages.length, result.messageCount]).toEqual([20, 85]);
    const rest = await get(`/sessions/${ids[0]}/messages?limit=1000`);
    expect(rest.body.data.nextAfter).toBe(40);
  });

  it("has at most 2 million characters: fewer messages of each session, and short chatbots where these are too long", async () => {
    const long = "y".repeat(100_000);
    const chatbotId = await createChatbot({ systemPrompt: long, greeting: long });
    const clientId = await createClient();
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await createSession({ chatbotId, clientId }));
    const list = async (limit: number) => (await get(`/sessions?clientId=${clientId}&limit=${limit}`)).body.data;
    const five = await list(5);
    expect(five.results.map((result: Listed) => [result.messages.length, result.chatbotId.systemPrompt])).toEqual(
      Array.from({ length: 5 }, () => [1, long]),
    );
    const twelve = await list(12);
    expect(JSON.stringify(twelve).length).toBeLessThan(2_010_000);
    expect(twelve.paginatorInfo).toMatchObject({ count: 12, total: 12, hasMorePages: false });
    expect(twelve.results.map((result: Listed) => [result.messages.length, result.messageCount])).toEqual(
      Array.from({ length: 12 }, () => [1, 1]),
    );
    expect(twelve.results[0].chatbotId).toEqual({
      id: chatbotId,
      name: expect.any(String),
      endpointId: expect.any(String),
      historyLimit: 50,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      truncated: true,
    });
    const { chatbotId: whole } = (await get(`/sessions/${ids[0]}`)).body.data;
    expect([whole.systemPrompt, whole.truncated]).toEqual([long, undefined]);
  });

  it("of chatbots has at most 2 million characters too", async () => {
    const name = unique("long");
    const texts = { systemPrompt: "s".repeat(100_000), greeting: "g".repeat(100_000) };
    for (let n = 0; n < 11; n++) await createChatbot({ name: `${name} ${n}`, ...texts });
    const list = async (limit: number) =>
      (await get(`/chatbots?limit=${limit}&searchString=${encodeURIComponent(name)}`)).body.data;
    const [ten, eleven] = [await list(10), await list(11)];
    expect(ten.results[0]).toMatchObject(texts);
    expect(ten.results[0]).not.toHaveProperty("truncated");
    expect(JSON.stringify(eleven).length).toBeLessThan(10_000);
    expect(eleven.paginatorInfo).toMatchObject({ count: 11, total: 11 });
    expect(eleven.results[0].truncated).toBe(true);
  });

  it("of comparisons ends early when it is too long, and its link leads to the rest", async () => {
    const name = unique("e".repeat(180));
    await createEndpoint({ name });
    const endpoints = Array.from({ length: 64 }, () => name.replaceAll(" ", "-"));
    const ids: string[] = [];
    for (let n = 0; n < 80; n++) ids.push((await createComparison(endpoints)).session_id);
    const first = await get("/v1/sessions?limit=80");
    expect(JSON.stringify(first.body).length).toBeLessThan(2_000_000);
    expect(first.body.length).toBeLessThan(80);
    const next = /<(.*)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const rest = await get(next);
    const listed = [...first.body, ...rest.body].map(({ session_id }: { session_id: string }) => session_id);
    expect(listed.slice(0, 80)).toEqual(ids.toReversed());
  });

  it("is at least as fresh as the bookmark of the last list", async () => {
    const { clientId } = await sessionsOf(1);
    const first = await get(`/sessions?clientId=${clientId}`);
    const bookmark = first.headers.get("x-d1-bookmark") ?? "";
    expect(bookmark).not.toBe("");
    expect((await get(`/sessions?clientId=${clientId}`, { headers: { "x-d1-bookmark": bookmark } })).body).toEqual(
      first.body,
    );
    expect((await get(`/sessions?clientId=${clientId}`, { headers: { "x-d1-bookmark": "'nonsense'" } })).status).toBe(
      200,
    );
  });

  it.each([
    "limit=0",
    "limit=101",
    "limit=x",
    "limit=1.5",
    "limit=0x5",
    "limit=1e1",
    "limit=+5",
    "limit=%205",
    "limit=",
    "skip=",
    "skip=0b1",
    "skip=-1",
    "status=OPEN",
    "chatbotId=nope",
    "clientId=1",
    "startDate=soon",
    "endDate=2024-13-01",
  ])("refuses %s with 400", async (query) => {
    expect((await get(`/sessions?${query}`)).status).toBe(400);
  });

  it("uses the first of a repeated parameter", async () => {
    expect((await get("/sessions?limit=3&limit=1000")).body.data.paginatorInfo.limit).toBe(3);
  });
});

describe("filters", () => {
  it("separate status, chatbot and client", async () => {
    const { ids, chatbotId, clientId } = await sessionsOf(3);
    await post(`/sessions/${ids[0]}/end`);
    await put(`/sessions/${ids[1]}`, { status: "TERMINATED" });
    for (const [status, title] of [
      ["COMPLETED", "number 0"],
      ["TERMINATED", "number 1"],
      ["ACTIVE", "number 2"],
    ]) {
      const byBoth = await get(`/sessions?status=${status}&chatbotId=${chatbotId}`);
      expect(titles(byBoth.body)).toEqual([title]);
      expect(byBoth.body.data.paginatorInfo.total).toBe(1);
      expect(titles((await get(`/sessions?status=${status}&clientId=${clientId}`)).body)).toEqual([title]);
    }
    expect((await get(`/sessions?chatbotId=${chatbotId}`)).body.data.paginatorInfo.total).toBe(3);
  });

  it("treat a bare date as the whole day in UTC, and include both ends", async () => {
    const { ids, clientId } = await sessionsOf(1);
    const { createdAt } = (await get(`/sessions/${ids[0]}`)).body.data;
    const day = createdAt.slice(0, 10);
    const count = async (query: string) =>
      (await get(`/sessions?clientId=${clientId}&${query}`)).body.data.paginatorInfo.total;
    expect(await count(`startDate=${day}&endDate=${day}`)).toBe(1);
    expect(await count(`startDate=${createdAt}&endDate=${createdAt}`)).toBe(1);
    const after = new Date(Date.parse(createdAt) + 1).toISOString();
    const before = new Date(Date.parse(createdAt) - 1).toISOString();
    expect(await count(`startDate=${after}`)).toBe(0);
    expect(await count(`endDate=${before}`)).toBe(0);
    expect(await count(`startDate=${after}&endDate=${before}`)).toBe(0);
  });
});

describe("search", () => {
  const search = async (needle: string, more = "") => {
    const { status, body } = await get(`/sessions?searchString=${encodeURIComponent(needle)}${more}`);
    expect(status).toBe(200);
    expect(body.data.paginatorInfo.count).toBe(body.data.results.length);
    return { titles: titles(body), total: body.data.paginatorInfo.total };
  };

  it.each([
    ["anywhere", "xxNEEDLExx", "needle"],
    ["in any case, of any script", "ÜBER Straße ΟΔΟΣ", "über STRASSE οδος"],
    ["%, _ and quotes as they are", `100%_of "it's"`, `100%_OF "IT'S"`],
    ["at any length", "y".repeat(150), "Y".repeat(149)],
    ["with an asterisk and brackets", "a*b[c]", "*B["],
    ["with emoji", "ask 🎉🎊 now", "🎉🎊"],
  ])("finds %s", async (_, title, needle) => {
    const mark = unique("s");
    await createSession({ title: `${mark} ${title}` });
    expect((await search(needle)).titles).toContain(`${mark} ${title}`);
    expect((await search(mark.toUpperCase())).total).toBe(1);
  });

  // The full-text index needs three letters. It is not used within a client's sessions.
  it.each([
    ["letters however they were composed", "Křižovatka", "křižovatka"],
    ["letters however they were composed, in part", "Chłodna łąka", "łąk"],
    ["Hangul however it was composed", "주문 상담", "주문 상"],
    ["full-width and narrow letters", "ＯＲＤＥＲ ﾃｽﾄ ４２", "order テスト 42"],
    ["ligatures and sharp s", "Oﬃce GROẞ", "office groß"],
    ["full-width signs as they are in ASCII", "１００％＿ｏｆ　＂ｉｔ＊", '100%_of "it*'],
    ["what is never visible", "auto\u00admatic\u200b", "automatic"],
  ])("finds %s", async (_, title, needle) => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const forms = [title, title.normalize("NFD"), title.normalize("NFKC"), title.normalize("NFKD")];
    for (const form of forms) await createSession({ chatbotId, clientId, title: form });
    await createSession({ chatbotId, clientId, title: "another" });
    for (const text of [needle, needle.normalize("NFD"), needle.toUpperCase()])
      for (const filter of [`&chatbotId=${chatbotId}`, `&clientId=${clientId}`])
        expect((await search(text, filter)).titles.toSorted()).toEqual(forms.toSorted());
  });

  it.each([
    ["an accent of another letter", "łąka", "ka\u0328"],
    ["a letter without its accent", "re\u0301sume\u0301", "resume"],
    ["a full-width wildcard", "100 percent", "１００％ｐ"],
    ["a full-width asterisk", "prefix", "ｐｒｅ＊"],
    ["a full-width quote and an operator", "cats dogs", "cats＂　ＯＲ　＂dogs"],
  ])("does not find %s", async (_, title, needle) => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    await createSession({ chatbotId, clientId, title });
    for (const filter of [`&chatbotId=${chatbotId}`, `&clientId=${clientId}`])
      expect(await search(needle, filter)).toEqual({ titles: [], total: 0 });
  });

  it("finds one and two letters", async () => {
    const clientId = await createClient();
    await createSession({ clientId, title: "Zq" });
    await createSession({ clientId, title: "other" });
    expect((await search("zq")).titles).toContain("Zq");
    expect((await search("q", `&clientId=${clientId}`)).titles).toEqual(["Zq"]);
    expect((await search("zq", "&status=COMPLETED")).titles).not.toContain("Zq");
  });

  it("finds two letters at any place of a title, whichever terms they begin", async () => {
    const named = [
      "Ωψ",
      "Ωψ at the start",
      "at the end Ωψ",
      "in the mΩψddle",
      'before a quote Ωψ"',
      "twice Ωψ and ΩψΩψ",
    ];
    for (const title of [...named, "Ω ψ", "ψΩ", "Ω"]) await createSession({ title });
    await createComparison([await createEndpoint()], { name: "Ωψ" });
    expect(await search("ΩΨ")).toEqual({ titles: named.toReversed(), total: named.length });
    expect(await search("ωψ", "&limit=2&skip=3")).toEqual({ titles: [named[2], named[1]], total: named.length });
    expect(await search("ψω\u00ad")).toEqual({ titles: ["ψΩ", "twice Ωψ and ΩψΩψ"], total: 2 });
  });

  it("finds two letters that begin so many terms of the index that a scan is faster", async () => {
    const named = Array.from({ length: 150 }, (_, nth) => `жѫ${String.fromCodePoint(0x4e00 + nth)}`);
    await insertSessions(named);
    expect(await search("жѫ", "&limit=3&skip=1")).toEqual({ titles: named.toReversed().slice(1, 4), total: 150 });
    const { isFew, terms } = searchPair("жѫ");
    const [choice] = await database(env.DB).all<{ isFew: number }>(sql`${terms} select ${isFew} as isFew`);
    expect(choice).toEqual({ isFew: 0 });
  });

  it.each(["*", "?", "[", "]", "*a", "[a", "%", "_", "a\\", "é", "北", "🎉"])("takes %s as it is", async (needle) => {
    const clientId = await createClient();
    await createSession({ clientId, title: `x ${needle} y` });
    await createSession({ clientId, title: `nul\0x ${needle} y` });
    await createSession({ clientId, title: "abc def" });
    expect((await search(needle, `&clientId=${clientId}`)).total).toBe(2);
    expect((await search("zz", `&clientId=${clientId}`)).total).toBe(0);
  });

  // SQLite reads both as U+FFFD in its patterns and in its full-text index.
  it.each(["\uFFFE", "\uFFFF"])("takes %j as it is", async (character) => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const title = unique(`${character}yz`);
    for (const one of [title, title.replace(character, "\uFFFD")])
      await createSession({ chatbotId, clientId, title: one });
    for (const needle of [character, `${character}y`, title])
      for (const filter of [`&chatbotId=${chatbotId}`, `&clientId=${clientId}`, ""])
        expect(await search(needle, filter)).toEqual({ titles: [title], total: 1 });
  });

  it("follows a changed title, and forgets a deleted session", async () => {
    const [before, after] = [unique("before"), unique("after")];
    const id = await createSession({ title: before });
    await put(`/sessions/${id}`, { title: after });
    expect([(await search(before)).total, (await search(after)).total]).toEqual([0, 1]);
  });

  it("pages through many results, newest first, with the filters", async () => {
    const word = unique("many").replaceAll(" ", "");
    const { chatbotId } = await sessionsOf(7, (index) => ({ title: `${word} ${index}` }));
    const page = await search(word, `&limit=3&skip=3&chatbotId=${chatbotId}`);
    expect(page).toEqual({ titles: [`${word} 3`, `${word} 2`, `${word} 1`], total: 7 });
    expect(await search(word, "&limit=2")).toEqual({ titles: [`${word} 6`, `${word} 5`], total: 7 });
  });

  it("with an empty text finds everything", async () => {
    const { clientId } = await sessionsOf(2);
    expect((await search("", `&clientId=${clientId}`)).total).toBe(2);
    expect((await search("\u200b\ufeff", `&clientId=${clientId}`)).total).toBe(2);
  });
});
