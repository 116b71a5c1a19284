/** Chatbots and clients. */
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createChatbot, createClient, createSession, createEndpoint, unique } from "../../support/create.ts";

const NOWHERE = "ffffffffffffffffffffffff";

describe("chatbots", () => {
  it("are created with defaults, read, changed in part, and deleted", async () => {
    const endpointId = await createEndpoint();
    const { status, body } = await post("/chatbots", {
      name: "Shop",
      endpointId,
      systemPrompt: "Be kind",
      params: { temperature: 0 },
    });
    expect(status).toBe(201);
    const { id } = body.data;
    expect(body.data).toMatchObject({
      name: "Shop",
      endpointId,
      systemPrompt: "Be kind",
      historyLimit: 50,
      params: { temperature: 0 },
    });
    expect((await get(`/chatbots/${id}`)).body.data).toEqual(body.data);
    const changed = await put(`/chatbots/${id}`, { greeting: "Hi", systemPrompt: null });
    expect(changed.body.data).toMatchObject({ name: "Shop", greeting: "Hi", historyLimit: 50 });
    expect(changed.body.data).not.toHaveProperty("systemPrompt");
    expect((await del(`/chatbots/${id}`)).status).toBe(200);
    expect((await get(`/chatbots/${id}`)).status).toBe(404);
    expect((await put(`/chatbots/${id}`, { name: "x" })).status).toBe(404);
    expect((await del(`/chatbots/${id}`)).status).toBe(404);
  });

  it("do not change without a change, and reject contradictory fields", async () => {
    const id = await createChatbot();
    const before = (await get(`/chatbots/${id}`)).body.data;
    expect((await put(`/chatbots/${id}`, {})).body.data).toEqual(before);
    expect((await put(`/chatbots/${id}`, { params: { messages: [] } })).status).toBe(400);
  });

  it("need an existing endpoint", async () => {
    expect((await post("/chatbots", { name: "x", endpointId: "nowhere" })).status).toBe(404);
    expect((await put(`/chatbots/${await createChatbot()}`, { endpointId: "nowhere" })).status).toBe(404);
  });

  it("cannot be deleted while their sessions are open, and stay readable in ended ones", async () => {
    const chatbotId = await createChatbot({ name: "Old friend", systemPrompt: "a secret recipe" });
    const id = await createSession({ chatbotId });
    expect((await del(`/chatbots/${chatbotId}`)).status).toBe(409);
    await post(`/sessions/${id}/end`);
    expect((await del(`/chatbots/${chatbotId}`)).status).toBe(200);
    expect((await get(`/sessions/${id}`)).body.data.chatbotId).toEqual({
      id: chatbotId,
      name: "Old friend",
      deleted: true,
    });
    expect((await post("/sessions", { chatbotId, clientId: await createClient() })).status).toBe(404);
  });

  it("are listed and searched like sessions", async () => {
    const name = unique("ÉCLAIR");
    const id = await createChatbot({ name });
    const { body } = await get(`/chatbots?searchString=${encodeURIComponent(name.toLowerCase())}`);
    expect(body.data).toMatchObject({ results: [{ id, name }], paginatorInfo: { count: 1, total: 1, perPage: 10 } });
    expect((await get("/chatbots?limit=101")).status).toBe(400);
  });
});

describe("chatbots and clients", () => {
  it("are found by any Unicode form, width and case of their names", async () => {
    const stem = unique("Ｇâｔｅａｕ ﬁn");
    const paths = { chatbots: createChatbot, clients: createClient };
    for (const [path, create] of Object.entries(paths)) {
      const ids = [await create({ name: stem }), await create({ name: stem.normalize("NFD") })];
      for (const text of ["NFC", "NFD", "NFKC", "NFKD"].map((form) => stem.toUpperCase().normalize(form))) {
        const { body } = await get(`/${path}?searchString=${encodeURIComponent(text)}`);
        expect(body.data.results.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed());
      }
    }
  });
});

describe("clients", () => {
  it("are created, read, changed in part, and deleted", async () => {
    const externalId = unique("customer");
    const { status, body } = await post("/clients", {
      name: "Ada",
      email: "ada@example.com",
      externalId,
      metadata: { vip: true },
    });
    expect(status).toBe(201);
    const { id } = body.data;
    expect(body.data).toMatchObject({ name: "Ada", email: "ada@example.com", externalId, metadata: { vip: true } });
    expect((await put(`/clients/${id}`, { email: null })).body.data).not.toHaveProperty("email");
    expect((await get(`/clients?searchString=ada`)).status).toBe(200);
    expect((await del(`/clients/${id}`)).status).toBe(200);
    expect((await get(`/clients/${id}`)).status).toBe(404);
    expect((await post("/clients", { name: "Heir", externalId })).status).toBe(201);
  });

  it("have a unique externalId, and who takes it learns whose it is", async () => {
    const externalId = unique("customer");
    const id = await createClient({ externalId });
    const message = `Another client has the externalId "${externalId}"`;
    const taken = { code: "taken", details: [{ path: "externalId", message, id }], requestId: expect.any(String) };
    const created = await post("/clients", { name: "Eve", externalId });
    expect([created.status, created.body.message, created.body.error]).toEqual([409, message, taken]);
    const changed = await put(`/clients/${await createClient()}`, { externalId });
    expect([changed.status, changed.body.error]).toEqual([409, taken]);
  });

  it("are filtered by the whole of their externalId, together with a search", async () => {
    const externalId = unique("customer");
    const id = await createClient({ name: "Ada", externalId });
    await createClient({ name: "Ada", externalId: `${externalId}0` });
    const found = async (query: Record<string, string>) => {
      const { status, body } = await get(`/clients?${new URLSearchParams(query).toString()}`);
      expect([query, status]).toEqual([query, 200]);
      const { results, paginatorInfo } = body.data;
      expect(paginatorInfo.total).toBe(results.length);
      return results.map((client: { id: string }) => client.id);
    };
    expect(await found({ externalId })).toEqual([id]);
    expect(await found({ externalId, searchString: "ADA" })).toEqual([id]);
    expect(await found({ externalId, searchString: "Eve" })).toEqual([]);
    expect(await found({ externalId: externalId.toUpperCase() })).toEqual([]);
    expect(await found({ externalId: externalId.slice(0, -1) })).toEqual([]);
    expect((await get("/clients?externalId=")).status).toBe(400);
  });

  it("are searched by name, email and externalId in any letter case", async () => {
    const word = unique("Find").replaceAll(" ", "-");
    const ids = [
      await createClient({ name: `${word} Ågren` }),
      await createClient({ email: `${word}@Example.com` }),
      await createClient({ externalId: `CRM/${word}/é` }),
    ];
    const found = async (text: string) =>
      (await get(`/clients?searchString=${encodeURIComponent(text)}`)).body.data.results.map(
        ({ id }: { id: string }) => id,
      );
    for (const text of [word, word.toUpperCase(), word.toLowerCase()])
      expect(await found(text)).toEqual(ids.toReversed());
    expect(await found(`${word} åGREN`)).toEqual([ids[0]]);
    expect(await found(`${word}@EXAMPLE`)).toEqual([ids[1]]);
    expect(await found(`crm/${word}/É`)).toEqual([ids[2]]);
    expect(await found(`${word}%`)).toEqual([]);
  });

  it("are created and updated by their externalId", async () => {
    const externalId = unique("crm/42?ü");
    const path = `/clients/by-external-id/${encodeURIComponent(externalId)}`;
    const created = await put(path, { name: "Ada", email: "ada@example.com", metadata: { vip: true } });
    expect([created.status, created.body.message]).toEqual([201, "Client created successfully"]);
    const { id } = created.body.data;
    expect((await get(`/clients/${id}`)).body.data).toEqual(created.body.data);
    // A change in the same millisecond would have the same time.
    await scheduler.wait(2);
    const renamed = await put(path, { name: "Ada Lovelace", externalId, email: null });
    expect([renamed.status, renamed.body.message]).toEqual([200, "Client updated successfully"]);
    expect(renamed.body.data).toMatchObject({ id, name: "Ada Lovelace", externalId, metadata: { vip: true } });
    expect(renamed.body.data).not.toHaveProperty("email");
    expect(renamed.body.data.createdAt).toBe(created.body.data.createdAt);
    expect(Date.parse(renamed.body.data.updatedAt)).toBeGreaterThan(Date.parse(created.body.data.updatedAt));
    const emailed = await put(path, { email: "ada@example.org" });
    expect([emailed.status, emailed.body.data]).toMatchObject([
      200,
      { name: "Ada Lovelace", email: "ada@example.org" },
    ]);
    expect((await get(`/clients/${id}`)).body.data).toEqual(emailed.body.data);
    const search = async (text: string) =>
      (await get(`/clients?externalId=${encodeURIComponent(externalId)}&searchString=${text}`)).body.data.results
        .length;
    expect([await search("lovelace"), await search("byron")]).toEqual([1, 0]);
    await del(`/clients/${id}`);
    const heir = await put(path, { name: "Heir" });
    expect([heir.status, heir.body.data.id === id]).toEqual([201, false]);
  });

  it("are not created by their externalId without a name, or with another externalId", async () => {
    const path = `/clients/by-external-id/${encodeURIComponent(unique("customer"))}`;
    const detailOf = async (given: object, at = path) => {
      const { status, body } = await put(at, given);
      return [status, body.error.details];
    };
    expect(await detailOf({ email: "ada@example.com" })).toEqual([400, [{ path: "name", message: "Field required" }]]);
    for (const externalId of ["another", null])
      expect(await detailOf({ name: "Ada", externalId })).toMatchObject([400, [{ path: "externalId" }]]);
    const long = `/clients/by-external-id/${"x".repeat(201)}`;
    expect(await detailOf({ name: "Ada" }, long)).toMatchObject([400, [{ path: "externalId" }]]);
    expect((await get("/clients?externalId=another")).body.data.results).toEqual([]);
  });

  it("are one, when two calls create them by their externalId at once", async () => {
    const externalId = unique("customer");
    const path = `/clients/by-external-id/${encodeURIComponent(externalId)}`;
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => put(path, { name: `Ada ${index}` })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 200, 200, 200, 200, 201,
    ]);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    const { data } = (await get(`/clients?externalId=${encodeURIComponent(externalId)}`)).body;
    expect(data.paginatorInfo.total).toBe(1);
  });

  it("cannot be deleted while they have an open session", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    expect((await del(`/clients/${clientId}`)).status).toBe(409);
    await put(`/sessions/${id}`, { status: "TERMINATED" });
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    expect((await get(`/sessions/${id}`)).body.data.clientId).toMatchObject({ id: clientId, deleted: true });
  });

  it("are 404 when they do not exist", async () => {
    for (const id of [NOWHERE, "nope"]) expect((await get(`/clients/${id}`)).status).toBe(404);
  });
});
