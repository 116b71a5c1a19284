/** Bookmarks, in both of Moonshot's APIs: copies of records that stay. */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ADMIN_KEY, del, get, post } from "../../support/api.ts";
import { createComparison, createEndpoint, createSession, unique } from "../../support/create.ts";

const bookmarkName = () => unique("Bookmark / ü");
const at = (name: string) => `/v1/bookmarks/${encodeURIComponent(name)}`;

async function aComparison(...prompts: string[]) {
  const { session_id: id, chat_ids } = await createComparison([await createEndpoint(), await createEndpoint()]);
  for (const prompt of prompts) await post(`/v1/sessions/${id}/prompt`, { prompt });
  return { id, chatIds: chat_ids as string[] };
}

describe("a bookmark of /v1", () => {
  it("has a copy of its record, which stays when the session is deleted", async () => {
    const { id, chatIds } = await aComparison("one", "two", "three");
    const [, chatId] = chatIds;
    const name = bookmarkName();
    const { body } = await get(`/v1/sessions/${id}?include_history=true`);
    const place = { session_id: id, chat_id: chatId, chat_record_id: 2 };
    expect((await post("/v1/bookmarks", { name, ...place, note: "Look" })).body).toEqual({ success: true });
    await del(`/v1/sessions/${id}`);
    const kept = await get(at(name));
    expect(kept.body).toEqual({
      name,
      ...place,
      note: "Look",
      created_epoch: expect.any(Number),
      record: body.session.chat_history[chatId ?? ""][1],
    });
    expect((await get("/v1/bookmarks")).body).toContainEqual(kept.body);
    expect((await get(`/api/v1/bookmarks?name=${encodeURIComponent(name)}`)).body).toEqual([
      expect.objectContaining({ name, prompt: "two", prepared_prompt: "two", response: "two", attack_module: "" }),
    ]);
    expect((await del(at(name))).body).toEqual({ success: true });
    expect((await get(at(name))).status).toBe(404);
    expect((await del(at(name))).status).toBe(404);
  });

  it("needs a record that exists, and a name that is free", async () => {
    const { id, chatIds } = await aComparison("one");
    const name = bookmarkName();
    const record = { session_id: id, chat_id: chatIds[0], chat_record_id: 1 };
    const before = (await get("/v1/bookmarks")).body.length;
    for (const [fields, expected] of [
      [{ session_id: "none_20240101-000000" }, 404],
      [{ session_id: await createSession() }, 404],
      [{ chat_id: "none" }, 404],
      [{ chat_record_id: 2 }, 404],
      [{ chat_record_id: 0 }, 422],
      [{ name: "" }, 422],
      [{ name: "x".repeat(101) }, 422],
      [{ name: ".." }, 422],
    ] as const)
      expect([fields, (await post("/v1/bookmarks", { name, ...record, ...fields })).status]).toEqual([
        fields,
        expected,
      ]);
    expect((await get("/v1/bookmarks")).body).toHaveLength(before);
    expect((await post("/v1/bookmarks", { name, ...record })).status).toBe(200);
    const taken = await post("/v1/bookmarks", { name, ...record });
    expect([taken.status, taken.body.detail]).toEqual([409, expect.stringContaining(name)]);
  });

  it("is made once per idempotency key, and not replayed when it was deleted", async () => {
    const { id, chatIds } = await aComparison("one");
    const body = { name: bookmarkName(), session_id: id, chat_id: chatIds[0], chat_record_id: 1 };
    const headers = { "idempotency-key": crypto.randomUUID() };
    const answers = [await post("/v1/bookmarks", body, { headers }), await post("/v1/bookmarks", body, { headers })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.headers.get("idempotency-replayed")).toBe("true");
    await del("/api/v1/bookmarks?all=true");
    const again = await post("/v1/bookmarks", body, { headers });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
  });
});

describe("a bookmark of Moonshot 0.7", () => {
  // As the UI sends it: what is empty is left out.
  const form = (name: string) => ({
    name,
    prompt: "How?",
    prepared_prompt: "Q: How?",
    response: "So.",
    prompt_template: "",
  });

  it("has the texts that the UI sends", async () => {
    const name = bookmarkName();
    expect((await post("/api/v1/bookmarks", form(name))).body).toEqual({ success: true, message: expect.any(String) });
    const bookmark = {
      ...form(name),
      context_strategy: "",
      attack_module: "",
      metric: "",
      bookmark_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    };
    expect((await get("/api/v1/bookmarks")).body).toContainEqual(bookmark);
    expect((await get("/api/v1/bookmarks/name")).body).toContain(name);
    expect((await get(at(name))).body).toMatchObject({
      session_id: null,
      note: null,
      record: { prompt: "How?", prepared_prompt: "Q: How?", predicted_result: "So." },
    });
    const file = await exports.default.fetch(
      new Request("http://parley.test/api/v1/bookmarks/export?export_file_name=my%20marks", {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      }),
    );
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="my marks.json"');
    expect((await file.json<{ bookmarks: object[] }>()).bookmarks).toContainEqual(bookmark);
    const taken = await post("/api/v1/bookmarks", form(name));
    expect([taken.status, taken.body.detail]).toEqual([409, expect.stringContaining(name)]);
  });

  it("is deleted by its name, or with all others", async () => {
    const names = [bookmarkName(), bookmarkName()];
    for (const name of names) await post("/api/v1/bookmarks", form(name));
    const query = `?name=${encodeURIComponent(names[0] ?? "")}`;
    expect((await del(`/api/v1/bookmarks${query}`)).body).toMatchObject({ success: true });
    expect((await del(`/api/v1/bookmarks${query}`)).status).toBe(404);
    expect((await get(`/api/v1/bookmarks${query}`)).status).toBe(404);
    expect((await del("/api/v1/bookmarks")).status).toBe(422);
    expect((await del("/api/v1/bookmarks?all=false")).status).toBe(422);
    expect((await get("/api/v1/bookmarks")).body.length).toBeGreaterThan(0);
    expect((await del("/api/v1/bookmarks?all=true")).body).toMatchObject({ success: true });
    expect((await get("/api/v1/bookmarks")).body).toEqual([]);
  });

  it("is refused without a text, and with a file name that is none", async () => {
    const name = bookmarkName();
    for (const field of ["prompt", "prepared_prompt", "response"])
      expect((await post("/api/v1/bookmarks", { ...form(name), [field]: "" })).status).toBe(422);
    expect((await get('/api/v1/bookmarks/export?export_file_name=a"b')).status).toBe(422);
    expect((await get(at(name))).status).toBe(404);
  });
});
