/** A session whose log is in the archive answers every call as before. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  archive,
  isArchived,
  storedMessages,
  objectName,
  textOf,
  textsOf,
  age,
  runArchiveJob,
} from "../../support/archive.ts";
import { get, post } from "../../support/api.ts";
import { createChatbot, createComparison, createEndpoint, createSession, unique } from "../../support/create.ts";
import { connect, followEvents } from "../../support/follow.ts";
import { writeLog } from "../../support/long-log.ts";
import { makeReceipt } from "../../support/replies.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Texts in which copying could go wrong. */
const TEXTS = ["plain", `it's "quoted"\r\n and ends\n`, "日本語 🙂 \u0000 x", "漢".repeat(3_000), ""];

const appendMessage = (id: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content } });

async function chatSession(title: string): Promise<string> {
  const id = await createSession({ title, chatbotId: await createChatbot({ greeting: "Hello" }) });
  for (const text of TEXTS.filter(Boolean)) await appendMessage(id, text);
  await post(`/sessions/chat?sessionId=${id}`, { content: "a chat" });
  await post(`/sessions/${id}/messages/7/regenerate`, {});
  await post(`/sessions/${id}/messages/6/edit`, { content: "in another way" });
  return id;
}

/** A comparison of many turns, some of whose replies failed without a text. */
async function comparison(turns: number, length: number) {
  const session = await createComparison([await createEndpoint(), await createEndpoint()]);
  const [first, second] = session.chat_ids;
  const prompts = Array.from({ length: turns }, (_, turn) => ({
    prompt: `${turn} ${"p".repeat(length)}`,
    replies: [
      { chatId: first, content: `${turn} ${TEXTS[turn % TEXTS.length]}`, reply: { receipt: makeReceipt({}) } },
      { chatId: second, content: "r".repeat(length) },
    ],
  }));
  await writeLog(session.session_id, prompts);
  return session;
}

const chatPaths = (id: string) => [
  `/sessions/${id}`,
  `/sessions/${id}/messages`,
  `/sessions/${id}/messages?after=3&limit=2`,
  `/sessions/${id}/messages?after=7`,
  `/sessions/${id}/messages?tree=true`,
  `/sessions/${id}/stats`,
  `/sessions/${id}/export`,
  `/sessions/${id}/export?format=csv`,
];

const comparisonPaths = (id: string) => [
  `/v1/sessions/${id}?include_history=1`,
  `/v1/sessions/${id}?include_history=1&include=receipts`,
  `/v1/sessions/${id}/stats`,
  `/v1/sessions/${id}/export`,
  `/v1/sessions/${id}/export?format=csv&layout=wide`,
];

describe.each(["ended", "idle"])("a chat that is %s", (state) => {
  it("answers every call that shows its log as before, byte for byte", async () => {
    const title = unique("archived chat");
    const id = await chatSession(title);
    if (state === "ended") await post(`/sessions/${id}/end`);
    await age([id]);
    const paths = [...chatPaths(id), `/sessions?searchString=${encodeURIComponent(title)}`];
    const before = await textsOf(paths);
    await runArchiveJob();
    expect([await storedMessages(id), await isArchived(id)]).toEqual([0, true]);
    expect(await textsOf(paths)).toEqual(before);
    expect(before[`/sessions/${id}`]).toContain("日本語");
    expect(before[paths.at(-1) ?? ""]).toContain("日本語");
  });
});

it("replays an ended chat to event streams and sockets as before", async () => {
  const id = await chatSession("replayed");
  await post(`/sessions/${id}/end`);
  await age([id]);
  const replay = async () => {
    const [stream, socket] = [
      await followEvents(`/sessions/${id}/events?after=0`),
      await connect(`/sessions/${id}/ws?after=0`),
    ];
    await Promise.all([stream, socket].map((inbox) => inbox.until(({ closed }) => closed !== null)));
    return [stream.events, socket.events];
  };
  const before = await replay();
  await runArchiveJob();
  expect(await storedMessages(id)).toBe(0);
  expect(await replay()).toEqual(before);
  expect(before.map(({ length }) => length)).toEqual([14, 13]);
});

it.each([
  ["short", 5, 10],
  ["of more messages than an answer shows", 340, 10],
  ["of more text than a chunk and a part have", 25, 60_000],
])("a comparison %s answers as before, byte for byte", async (_, turns, length) => {
  const { session_id: id, chat_ids: chats } = await comparison(turns, length);
  await age([id]);
  const before = await textsOf(comparisonPaths(id));
  await runArchiveJob();
  expect([await storedMessages(id), await isArchived(id)]).toEqual([0, true]);
  const after = await textsOf(comparisonPaths(id));
  for (const path of comparisonPaths(id)) expect(after[path] === before[path], path).toBe(true);
  expect(before[`/v1/sessions/${id}?include_history=1`]).toContain(chats[0]);
});

it("has one line a message, behind one that says what it is, and its description in the session's row", async () => {
  const id = await createSession();
  await appendMessage(id, "one\nline");
  await archive([id]);
  const text = await (await env.ARCHIVE.get(objectName(id)))?.text();
  const lines = (text ?? "")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    { version: 1, session_id: id },
    {
      seq: 1,
      chat_id: id,
      turn_id: null,
      turn_number: null,
      role: "user",
      content: "one\nline",
      created_at: expect.any(Number),
      detail: null,
    },
  ]);
  const row = await env.DB.prepare("select archive, archive_checked_at, last_seq from sessions where id = ?")
    .bind(id)
    .first();
  expect(row).toEqual({ archive: expect.any(String), archive_checked_at: null, last_seq: 1 });
  const bytes = new TextEncoder().encode(text).length;
  const start = bytes - JSON.stringify(lines[1]).length - 1;
  expect(JSON.parse(String(row?.["archive"]))).toEqual({
    version: 1,
    lastSeq: 1,
    lastTurn: 0,
    bytes,
    chunks: [[1, start]],
  });
});

describe("a list", () => {
  it("shows archived sessions among others as before, and asks for all archives at once", async () => {
    const chatbotId = await createChatbot();
    const ids = await Promise.all([1, 2, 3, 4].map((n) => createSession({ chatbotId, title: `listed ${n}` })));
    for (const id of ids) for (const text of ["one", "two", "漢".repeat(20_000)]) await appendMessage(id, text);
    await age(ids);
    const path = `/sessions?chatbotId=${chatbotId}`;
    const before = await textOf(path);
    await env.DB.prepare("update sessions set updated_at = ? where id = ?").bind(Date.now(), ids[3]).run();
    const beforeTouched = await textOf(path);
    await runArchiveJob();
    expect(await Promise.all(ids.map(isArchived))).toEqual([true, true, true, false]);
    let [open, most] = [0, 0];
    const getObject = env.ARCHIVE.get.bind(env.ARCHIVE);
    vi.spyOn(env.ARCHIVE, "get").mockImplementation((async (name: string, options: R2GetOptions) => {
      most = Math.max(most, (open += 1));
      const object = await getObject(name, options);
      open -= 1;
      return object;
    }) as typeof env.ARCHIVE.get);
    expect(await textOf(path)).toBe(beforeTouched);
    expect(most).toBe(3);
    expect(before).toContain("listed 3");
  });

  it("shows the messages of a session that is archived while the list is read", async () => {
    const chatbotId = await createChatbot();
    const [id, other] = [await createSession({ chatbotId }), await createSession({ chatbotId })];
    for (const one of [id, other]) await appendMessage(one, "kept");
    await age([id]);
    const path = `/sessions?chatbotId=${chatbotId}`;
    const before = await textOf(path);
    const session = Object.getPrototypeOf(env.DB.withSession("first-primary")) as D1DatabaseSession;
    const batch = Reflect.get(session, "batch") as (statements: D1PreparedStatement[]) => Promise<D1Result[]>;
    vi.spyOn(session, "batch").mockImplementationOnce(async function (this: D1DatabaseSession, statements) {
      const rows = await batch.call(this, statements);
      await runArchiveJob();
      return rows;
    });
    expect(await textOf(path)).toBe(before);
    expect([await storedMessages(id), await isArchived(id)]).toEqual([0, true]);
  });

  it("leaves out what the archive cannot give, and shows the rest", async () => {
    const chatbotId = await createChatbot();
    const ids = [await createSession({ chatbotId }), await createSession({ chatbotId })];
    for (const id of ids) await appendMessage(id, "kept");
    await archive([ids[0] ?? ""]);
    await env.ARCHIVE.delete(objectName(ids[0] ?? ""));
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { results } = (await get(`/sessions?chatbotId=${chatbotId}`)).body.data;
    expect(results.map(({ messages }: { messages: unknown[] }) => messages.length)).toEqual([1, 0]);
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ event: "archive-not-read" }));
  });
});

it("answers 503 while the archive does not answer, or is not bound", async () => {
  const id = await createSession();
  await appendMessage(id, "kept");
  await archive([id]);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(env.ARCHIVE, "get").mockRejectedValue(new Error("get: We encountered an internal error. (10001)"));
  const { status, body, headers } = await get(`/sessions/${id}`);
  expect([status, body.error.code, headers.get("retry-after")]).toEqual([503, "unavailable", expect.any(String)]);
  expect(JSON.stringify(body)).not.toContain("10001");
  vi.restoreAllMocks();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const bound = env.ARCHIVE;
  Reflect.deleteProperty(env, "ARCHIVE");
  expect((await get(`/sessions/${id}/messages`)).status).toBe(503);
  Reflect.set(env, "ARCHIVE", bound);
  expect((await get(`/sessions/${id}/messages`)).body.data.messages).toMatchObject([{ content: "kept" }]);
});
