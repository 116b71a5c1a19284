/** Exports of comparison sessions as JSON lines and CSV, and receipts. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { parse } from "csv-parse/sync";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SessionObject } from "../../../src/live/session-object.ts";
import { ADMIN_KEY, call, del, get, post } from "../../support/api.ts";
import { breakD1 } from "../../support/faults.ts";
import { createComparison, createEndpoint, unique } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";
import { makeReceipt } from "../../support/replies.ts";
import type { LoggedTurn } from "../../support/long-log.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

type Json = Record<string, unknown>;

const COLUMNS =
  "session_id, chat_id, endpoint, chat_record_id, prompt_time, prompt, prepared_prompt, predicted_result, response, partial_result, status, error_code, error_message, finish_reason, model, attempts, queue_ms, duration_ms, ttft_ms, input_tokens, output_tokens, cost, prompt_template, context_strategy".split(
    ", ",
  );

const objectOf = (id: string) => env.SESSIONS.getByName(id);

/** Uses the session, so that its object loads it. */
const loadIntoObject = (id: string) => post(`/v1/sessions/${id}/cancel`);

/** Ends a comparison session through its object, since no route does. */
const end = (id: string) => objectOf(id).end({ history: "added" });

const isLive = (id: string) =>
  objectOf(id)
    .read({ history: "added" })
    .then((read) => read.ok && read.value !== null);

const linesOf = (text: unknown): Json[] => {
  const lines = String(text).split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as Json);
};

const exportOf = async (id: string) => linesOf((await get(`/v1/sessions/${id}/export`)).body);

const rowsOf = (text: unknown): Record<string, string>[] => parse(String(text), { columns: true });

/** The expected lines for a history: by turn, and within a turn by chat. */
function linesOfHistory(session: Json, history: Record<string, Json[]>): Json[] {
  const chats = session["chat_ids"] as string[];
  const endpoints = session["endpoints"] as string[];
  const turns = Math.max(...chats.map((chat) => history[chat]?.length ?? 0));
  return Array.from({ length: turns }, (_, turn) =>
    chats.map((chat_id, index) => {
      const record = history[chat_id]?.[turn] ?? {};
      const response = record["status"] === "ok" ? record["predicted_result"] : null;
      return { session_id: session["session_id"], chat_id, endpoint: endpoints[index], ...record, response };
    }),
  ).flat();
}

/** Opens an export and reads it as it arrives. */
async function open(id: string, format = "jsonl") {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test/v1/sessions/${id}/export?format=${format}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    }),
  );
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error("No body");
  const next = async () => (await reader.read()).value ?? "";
  const rest = async () => {
    let text = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
    return text;
  };
  return { next, rest, cancel: () => reader.cancel() };
}

const many = (chatIds: string[], turns: number, length = 100): LoggedTurn[] =>
  Array.from({ length: turns }, (_, turn) => ({
    prompt: `prompt ${turn}`,
    replies: chatIds.map((chatId) => ({ chatId, content: `${turn} ${"x".repeat(length)}` })),
  }));

describe("export as JSON lines", () => {
  it("has a line for each record of the history, by turn and then by chat, while active and after the end", async () => {
    const session = await createComparison([
      await createEndpoint({ params: { delay_ms: 60 } }),
      await createEndpoint({ params: { fail: 503, max_attempts: 1 } }),
      await createEndpoint(),
    ]);
    const id = session.session_id;
    for (const prompt of ["one", 'two\u2028 北京 🎉 \u0000 "quoted"\nnext line']) {
      await post(`/v1/sessions/${id}/prompt`, { prompt });
    }
    const { body } = await get(`/v1/sessions/${id}?include_history=true&include=receipt`);
    const expected = linesOfHistory(session, body.session.chat_history);
    expect(expected).toHaveLength(6);
    expect(expected.map((line) => [line["chat_record_id"], line["status"], line["response"]])).toEqual([
      [1, "ok", "one"],
      [1, "error", null],
      [1, "ok", "one"],
      [2, "ok", expect.stringContaining("北京")],
      [2, "error", null],
      [2, "ok", expect.stringContaining("北京")],
    ]);
    expect(await isLive(id)).toBe(true);
    expect(await exportOf(id)).toEqual(expected);
    await end(id);
    await vi.waitFor(async () => expect(await isLive(id)).toBe(false), { timeout: 30_000 });
    expect(await exportOf(id)).toEqual(expected);
  });

  it("begins each line with its position, and keeps each on one line for every reader", async () => {
    const session = await createComparison([await createEndpoint()]);
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "a\u2028b\u0085c" });
    const { body, headers } = await get(`/v1/sessions/${session.session_id}/export?format=jsonl`);
    expect(Object.keys(linesOf(body)[0] ?? {}).slice(0, 4)).toEqual([
      "session_id",
      "chat_id",
      "endpoint",
      "chat_record_id",
    ]);
    expect(body).not.toMatch(/[\u2028\u0085]/);
    expect(linesOf(body)[0]).toHaveProperty("response", "a\u2028b\u0085c");
    expect(linesOf(body)[0]).toHaveProperty("receipt");
    expect(headers.get("content-type")).toBe("application/jsonl");
    expect(headers.get("cache-control")).toBe("no-store, no-transform");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${session.session_id}.jsonl"`);
  });

  it("has no response for a cancelled reply, and its text as the partial result", async () => {
    const session = await createComparison([
      await createEndpoint(),
      await createEndpoint({ params: { tokens_per_second: 5 } }),
    ]);
    const id = session.session_id;
    const prompted = post(`/v1/sessions/${id}/prompt`, {
      prompt: "many words that take a while to arrive ".repeat(5),
    });
    await vi.waitFor(
      async () => {
        const drafts = await runInDurableObject(objectOf(id), (_, state) =>
          state.storage.sql.exec("select * from drafts").toArray(),
        );
        expect(drafts).toHaveLength(1);
      },
      { timeout: 30_000 },
    );
    expect(await exportOf(id)).toMatchObject([{ chat_id: session.chat_ids[0], status: "ok" }]);
    await post(`/v1/sessions/${id}/cancel`);
    await prompted;
    expect(await exportOf(id)).toMatchObject([
      { status: "ok", response: expect.stringContaining("many words") },
      { status: "cancelled", response: null, partial_result: expect.stringContaining("many") },
    ]);
  });

  it("has a name that every file system accepts, however long the session's name is", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()], { name: "ß".repeat(200) });
    const { headers } = await get(`/v1/sessions/${id}/export`);
    const [, name = ""] = /^attachment; filename="([\w.-]+)"$/.exec(headers.get("content-disposition") ?? "") ?? [];
    expect(id.length).toBeGreaterThan(400);
    expect(name).toHaveLength(206);
    expect(`${id}.jsonl`.endsWith(name)).toBe(true);
  });

  it("is empty for a session without records", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    expect((await get(`/v1/sessions/${id}/export`)).body).toBe("");
    expect((await get(`/v1/sessions/${id}/export?format=csv`)).body).toBe(`${COLUMNS.join(",")}\r\n`);
  });
});

describe("export as CSV", () => {
  const NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    'a "quoted" word, and a comma',
    "two\r\nlines\nthree",
    "NUL \u0000 and 🎉 and 北京",
    " blanks around ",
    "'=1",
    '"',
    "a=b",
    "mac\rline",
  ];

  it("is read correctly by another parser, with formula cells made harmless", async () => {
    const session = await createComparison([await createEndpoint()]);
    const [chatId] = session.chat_ids;
    await writeLog(
      session.session_id,
      NASTY.map((text) => ({
        prompt: text,
        replies: [{ chatId, content: text, reply: { preparedPrompt: text, model: text } }],
      })),
    );
    const { body, headers } = await get(`/v1/sessions/${session.session_id}/export?format=csv`);
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="${session.session_id}.csv"`);
    const rows = rowsOf(body);
    // Some parsers do not accept an unquoted carriage return within a cell.
    expect(body).toContain('"mac\rline"');
    const shown = NASTY.map((text) => (/^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text));
    const columns = ["prompt", "prepared_prompt", "predicted_result", "response", "model"];
    for (const column of columns) expect(rows.map((row) => row[column])).toEqual(shown);
    for (const query of ["&raw=1", "&raw=true"]) {
      const raw = rowsOf((await get(`/v1/sessions/${session.session_id}/export?format=csv${query}`)).body);
      for (const column of columns) expect(raw.map((row) => row[column])).toEqual(NASTY);
    }
    const guarded = (await get(`/v1/sessions/${session.session_id}/export?format=csv&raw=0&layout=long`)).body;
    expect(guarded).toBe(body);
  });

  it("begins with one byte order mark, with or without rows", async () => {
    const session = await createComparison([await createEndpoint()]);
    const bytes = async () => {
      const path = `http://parley.test/v1/sessions/${session.session_id}/export?format=csv`;
      const answer = await exports.default.fetch(path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      return new Uint8Array(await answer.arrayBuffer());
    };
    const marksOf = (file: Uint8Array) =>
      [...new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file).matchAll(/\uFEFF/g)].map(
        ({ index }) => index,
      );
    expect(marksOf(await bytes())).toEqual([0]);
    await post(`/v1/sessions/${session.session_id}/prompt`, { prompt: "比較" });
    const file = await bytes();
    expect([...file.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    expect(marksOf(file)).toEqual([0]);
    expect(rowsOf(new TextDecoder().decode(file))).toMatchObject([{ prompt: "比較", predicted_result: "比較" }]);
  });

  it("has its columns in order, lines that end in CRLF, and empty cells for unknown values", async () => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const [first, second] = session.chat_ids;
    const failed = { code: "provider_error", message: "Status 500." } as const;
    const unknown = { model: null, usage: null, ttftMs: null };
    const set = { promptTemplate: "mcq", contextStrategy: "chat_history", receipt: makeReceipt(), queueMs: 7 };
    await writeLog(session.session_id, [
      {
        prompt: "hi",
        replies: [
          {
            chatId: second,
            content: "par",
            reply: { status: "error", error: failed, finishReason: "error", attempts: 2, ...unknown },
          },
          { chatId: first, content: "hello", reply: set },
        ],
      },
    ]);
    const { body } = await get(`/v1/sessions/${session.session_id}/export?format=csv`);
    const at = '"03/14/2024, 20:31:47"';
    const place = (index: number) =>
      [session.session_id, session.chat_ids[index], session.endpoints[index], 1, at, "hi,hi"].join(",");
    expect(String(body).split("\r\n")).toEqual([
      COLUMNS.join(","),
      `${place(0)},hello,hello,,ok,,,stop,m-1,1,7,100,10,10,20,0.000035,mcq,chat_history`,
      `${place(1)},[provider_error] Status 500.,,par,error,provider_error,Status 500.,error,,2,0,100,,,,,,`,
      "",
    ]);
  });
});

describe("a wide export", () => {
  const wide = async (id: string, query = "") =>
    (await get(`/v1/sessions/${id}/export?format=csv&layout=wide${query}`)).body as string;

  it("has a row for each prompt and a column for each chat, in the session's order", async () => {
    const [twice, prompt] = [await createEndpoint(), "prompt"];
    await post("/v1/llm_endpoints", { name: prompt, connector_type: "echo-connector" });
    const session = await createComparison([twice, prompt, twice]);
    const id = session.session_id;
    const [first, second, third] = session.chat_ids;
    const failed = { code: "rate_limited", message: "Slow down." } as const;
    await writeLog(id, [
      {
        prompt: 'one, "two"\nthree',
        replies: [
          { chatId: third, content: "=c" },
          { chatId: first, content: "a\r\nb" },
          { chatId: second, content: "part", reply: { status: "error", error: failed, finishReason: "error" } },
        ],
      },
      { prompt: "only the second", replies: [{ chatId: second, content: "b2" }] },
      { prompt: "no reply yet", replies: [] },
      { prompt: "only the last", replies: [{ chatId: third, content: "c4" }] },
    ]);
    const columns = ["session_id", "chat_record_id", "prompt_time", "prompt", twice, "prompt_2", `${twice}_2`];
    const time = "03/14/2024, 20:31:47";
    expect(parse(await wide(id), { bom: true })).toEqual([
      columns,
      [id, "1", time, 'one, "two"\nthree', "a\r\nb", "[rate_limited] Slow down.", "'=c"],
      [id, "2", time, "only the second", "", "b2", ""],
      [id, "4", time, "only the last", "", "", "c4"],
    ]);
    expect(parse(await wide(id, "&raw=1"), { bom: true })[1]?.[6]).toBe("=c");
  });

  it("has its header only for a session without records", async () => {
    const { session_id: id, endpoints } = await createComparison([await createEndpoint()]);
    expect(await wide(id)).toBe(`session_id,chat_record_id,prompt_time,prompt,${endpoints[0]}\r\n`);
  });

  it("writes a turn that is larger than the memory for it, and reads it as fast as it is received", async () => {
    const endpoint = await createEndpoint();
    const session = await createComparison(Array.from({ length: 25 }, () => endpoint));
    const content = "long ".repeat(80_000);
    const replies = session.chat_ids.map((chatId: string) => ({ chatId, content, reply: { preparedPrompt: "" } }));
    await writeLog(session.session_id, [
      { prompt: "one", replies },
      { prompt: "two", replies: replies.toReversed() },
    ]);
    const file = await open(session.session_id, "csv&layout=wide");
    const first = await file.next();
    expect(first.length).toBeLessThan(2 * content.length);
    const rows: string[][] = parse(first + (await file.rest()), { bom: true });
    expect(rows.map((row) => row[3])).toEqual(["prompt", "one", "two"]);
    expect(rows.slice(1).every((row) => row.length === 29 && row.slice(4).every((cell) => cell === content))).toBe(
      true,
    );
  });
});

describe("the query of an export", () => {
  it.each([
    ["format=xml", "format"],
    ["format=csv&layout=tall", "layout"],
    ["layout=wide", "layout"],
    ["format=jsonl&layout=long", "layout"],
    ["raw=1", "raw"],
    ["format=csv&raw=2", "raw"],
  ])("is refused with 422: %s", async (query, field) => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    const { status, body } = await get(`/v1/sessions/${id}/export?${query}`);
    expect([status, body.error[0].loc]).toEqual([422, ["query", field]]);
  });
});

describe("an export of any size", () => {
  const ROWS = 6_000;

  /** Counts the pages that are read of a session's log, in the object or in D1. */
  async function pagesRead(id: string, live: boolean) {
    if (live) {
      await loadIntoObject(id);
      const page = vi.spyOn(SessionObject.prototype, "page");
      return () => page.mock.calls.length;
    }
    const prepare = vi.spyOn(env.DB, "prepare");
    return () => prepare.mock.calls.filter(([sql]) => sql.includes("JOIN messages")).length;
  }

  it.each([true, false])("is read in pages, only as fast as it is received (in its object: %s)", async (live) => {
    const session = await createComparison([await createEndpoint(), await createEndpoint()]);
    const id = session.session_id;
    await writeLog(id, many(session.chat_ids, ROWS / 3));
    const pages = await pagesRead(id, live);
    const file = await open(id);
    const first = await file.next();
    expect(first.length).toBeLessThan(200_000);
    expect(pages()).toBe(1);
    const lines = linesOf(first + (await file.rest()));
    expect(pages()).toBe(6);
    expect(await isLive(id)).toBe(live);
    expect(lines.map((line) => [line["chat_id"], line["chat_record_id"], line["prompt"]])).toEqual(
      Array.from({ length: ROWS / 3 }, (_, turn) =>
        session.chat_ids.map((chat: string) => [chat, turn + 1, `prompt ${turn}`]),
      ).flat(),
    );
    expect(rowsOf((await get(`/v1/sessions/${id}/export?format=csv`)).body)).toHaveLength(lines.length);
  });

  it("shows the log as it was at the start, whatever happens to the session meanwhile", async () => {
    const session = await createComparison([await createEndpoint()]);
    const id = session.session_id;
    await writeLog(id, many(session.chat_ids, 1_400, 400));
    await loadIntoObject(id);
    const file = await open(id);
    const first = await file.next();
    await post(`/v1/sessions/${id}/prompt`, { prompt: "later" }, { headers: { prefer: "return=minimal" } });
    await end(id);
    await vi.waitFor(async () => expect(await isLive(id)).toBe(false), { timeout: 30_000 });
    const lines = linesOf(first + (await file.rest()));
    expect(lines).toHaveLength(1_400);
    expect(lines.at(-1)).toMatchObject({ chat_record_id: 1_400, prompt: "prompt 1399" });
    expect(await exportOf(id)).toHaveLength(1_401);
  });

  it("is complete while D1 is down, if the session is in its object", async () => {
    const session = await createComparison([await createEndpoint()]);
    await writeLog(session.session_id, many(session.chat_ids, 1_500));
    await loadIntoObject(session.session_id);
    const repairD1 = breakD1();
    const file = await open(session.session_id);
    const lines = linesOf(await file.rest());
    const { body } = await get(`/v1/sessions/${session.session_id}/stats`);
    repairD1();
    expect([lines.length, body.total.count]).toEqual([1_500, 1_500]);
  });

  it.each([true, false])("breaks off when the session is deleted meanwhile (in its object: %s)", async (live) => {
    const session = await createComparison([await createEndpoint()]);
    const id = session.session_id;
    await writeLog(id, many(session.chat_ids, 1_500, 400));
    if (live) await loadIntoObject(id);
    const errorLog = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const file = await open(id);
    expect(linesOf((await file.next()).replace(/[^\n]*$/, ""))).not.toHaveLength(0);
    expect((await del(`/v1/sessions/${id}`)).status).toBe(200);
    await expect(file.rest()).rejects.toThrow();
    expect(errorLog.mock.calls).toContainEqual([expect.objectContaining({ event: "export-broke-off" })]);
  });

  it("reads no further when its reader has left", async () => {
    const session = await createComparison([await createEndpoint()]);
    await writeLog(session.session_id, many(session.chat_ids, 1_500, 400));
    const pages = await pagesRead(session.session_id, false);
    const file = await open(session.session_id);
    await file.next();
    await file.cancel();
    expect(pages()).toBe(1);
  });

  it("sorts a turn that is too long for memory", async () => {
    const session = await createComparison(await Promise.all(Array.from({ length: 12 }, () => createEndpoint())));
    const chats: string[] = session.chat_ids;
    const replies = chats.toReversed().map((chatId) => ({ chatId, content: `${chatId} ${"x".repeat(900_000)}` }));
    await writeLog(session.session_id, [
      { prompt: "long", replies },
      { prompt: "short", replies: chats.map((chatId) => ({ chatId, content: chatId })) },
    ]);
    const lines = await exportOf(session.session_id);
    expect(lines.map((line) => line["chat_id"])).toEqual([...chats, ...chats]);
    expect(lines.map((line) => String(line["response"]).split(" ")[0])).toEqual([...chats, ...chats]);
  });
});

describe("export and statistics", () => {
  it.each(["export", "stats"])("answer 404 for an unknown session (%s)", async (route) => {
    for (const id of ["nope", "nope_20240315-043147", "65f3a1b2c4d5e6f708192a3b"]) {
      const { status, body } = await get(`/v1/sessions/${id}/${route}`);
      expect([status, body]).toEqual([404, { detail: `Session "${id}" not found` }]);
    }
  });

  it.each(["export", "stats"])("are for admins and services (%s)", async (route) => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    const { body } = await post("/keys", { name: unique("key"), role: "service" });
    expect((await get(`/v1/sessions/${id}/${route}`, { token: body.data.key })).status).toBe(200);
    expect((await get(`/v1/sessions/${id}/${route}`, { token: "nobody's" })).status).toBe(401);
  });

  it("refuse another format with 422, before any other check", async () => {
    for (const format of ["xml", "", "JSONL"]) {
      const { status, body } = await get(`/v1/sessions/nope_20240315-043147/export?format=${format}`);
      expect([status, body.error[0].loc]).toEqual([422, ["query", "format"]]);
    }
  });

  it("answer HEAD without a body", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    const { status, body, headers } = await call("HEAD", `/v1/sessions/${id}/export`);
    expect([status, body, headers.get("content-type")]).toEqual([200, "", "application/jsonl"]);
  });
});

describe("receipts", () => {
  it("are in records on request, with the cost at the prices of the time", async () => {
    const session = await createComparison([await createEndpoint()]);
    const [chatId] = session.chat_ids;
    const attempts = [
      { error: { code: "rate_limited" as const, message: "Slow down." }, durationMs: 30, providerRequestId: null },
      { error: null, durationMs: 70, providerRequestId: "req_1" },
    ];
    const usage = { inputTokens: 12_345, outputTokens: 678 };
    await writeLog(session.session_id, [
      {
        prompt: "hi",
        replies: [{ chatId, content: "a", reply: { usage, queueMs: 5, receipt: makeReceipt({ attempts }) } }],
      },
      {
        prompt: "hi",
        replies: [{ chatId, content: "b", reply: { receipt: makeReceipt({ prices: null, body: null }) } }],
      },
      { prompt: "hi", replies: [{ chatId, content: "c", reply: { usage: null, receipt: makeReceipt() } }] },
      { prompt: "hi", replies: [{ chatId, content: "d", reply: { receipt: null } }] },
      { prompt: "hi", replies: [{ chatId, content: "e" }] },
    ]);
    const path = `/v1/sessions/${session.session_id}?include_history=true`;
    const records = (await get(`${path}&include=receipt`)).body.session.chat_history[chatId];
    expect(records[0].receipt).toEqual({
      connector_type: "openai-connector",
      url: "https://api.example.com/v1/chat/completions",
      model_asked: "m",
      model_answered: "m-1",
      params: { temperature: 0 },
      body: '{"model":"m"}',
      body_sha256: "ab".repeat(32),
      provider_request_id: "req_1",
      attempts: [
        { error: { code: "rate_limited", message: "Slow down." }, duration_ms: 30, provider_request_id: null },
        { error: null, duration_ms: 70, provider_request_id: "req_1" },
      ],
      queue_ms: 5,
      ttft_ms: 10,
      duration_ms: 100,
      finish_reason_raw: null,
      notes: [],
      usage: { input_tokens: 12_345, output_tokens: 678 },
      cached_input_tokens: null,
      reasoning_tokens: null,
      prices: { input_per_million: 0.5, output_per_million: 1.5 },
      cost: 0.0071895,
    });
    expect(records[1].receipt).toMatchObject({ prices: null, cost: null, body: null });
    expect(records[2].receipt).toMatchObject({ usage: null, cost: null });
    expect(records.slice(3).map((record: Json) => record["receipt"])).toEqual([null, null]);
    expect((await exportOf(session.session_id)).map((line) => line["receipt"])).toEqual(
      records.map((record: Json) => record["receipt"]),
    );
    const plain = (await get(path)).body.session.chat_history[chatId];
    expect(records).toMatchObject(plain);
    for (const record of plain) expect(record).not.toHaveProperty("receipt");
  });

  it("come with the answer to a prompt on request, and not otherwise", async () => {
    const { session_id: id, chat_ids } = await createComparison([await createEndpoint()]);
    const shown = await post(`/v1/sessions/${id}/prompt?include=receipt`, { prompt: "x" });
    expect(shown.body[chat_ids[0]][0]).toHaveProperty("receipt");
    const plain = await post(`/v1/sessions/${id}/prompt`, { prompt: "x" });
    expect(plain.body[chat_ids[0]][1]).not.toHaveProperty("receipt");
  });

  it("are the only thing to include: 422 for anything else", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    for (const { status, body } of [
      await get(`/v1/sessions/${id}?include=everything`),
      await post(`/v1/sessions/${id}/prompt?include=`, { prompt: "x" }),
    ]) {
      expect([status, body.error[0].loc]).toEqual([422, ["query", "include"]]);
    }
  });
});
