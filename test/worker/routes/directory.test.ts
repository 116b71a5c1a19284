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

  it("have a unique externalId", async () => {
    const externalId = unique("customer");
    await createClient({ externalId });
    expect((await post("/clients", { name: "Eve", externalId })).status).toBe(409);
    expect((await put(`/clients/${await createClient()}`, { externalId })).status).toBe(409);
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
